// Begins something new, complete and passing: pnpm new mechanism NAME [--kind mask|bias]
//
// A mechanism is one file with its test, one line in the index, one entry in the catalogue, one page with its live
// example, and one changeset. What is written works as it stands; change it into what you mean.
import { Command, Option } from "commander";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as prettier from "prettier";
import * as bias from "./new/bias.mjs";
import * as mask from "./new/mask.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const kinds = { mask: { folder: "masks", files: mask }, bias: { folder: "biases", files: bias } };
const source = "packages/attention/src";

const program = new Command("pnpm new").description("Begin something new.");
program
  .command("mechanism")
  .description(
    "a mechanism of @qkv/attention: file, test, page, example, catalogue entry, export line, changeset",
  )
  .argument("<name>", "what the function is called: everyOther")
  .addOption(new Option("--kind <kind>", "what it is").choices(Object.keys(kinds)).default("mask"))
  .action((name, { kind }) => mechanism(name, kinds[kind]));
await program.parseAsync();

async function mechanism(name, { folder, files }) {
  if (!/^[a-z][a-zA-Z0-9]*$/.test(name)) {
    program.error(
      `new: the name is "${name}", expected one like everyOther.\nFix: use camelCase, as functions have.`,
    );
  }
  const kebab = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const words = kebab.replaceAll("-", " ");
  const names = { name, kebab, words, title: words[0].toUpperCase() + words.slice(1) };
  const made = {
    [`${source}/${folder}/${kebab}.ts`]: files.code(names),
    [`${source}/${folder}/${kebab}.test.ts`]: files.test(names),
    [`apps/docs/examples/${kebab}.ts`]: files.example(names),
    [`apps/docs/reference/attention/${kebab}.mdx`]: files.page(names),
    [`.changeset/${kebab}.md`]: files.changeset(names),
  };
  const taken = Object.keys(made).find((path) => existsSync(join(root, path)));
  if (taken) program.error(`new: ${taken} exists already.\nFix: choose another name, or edit that file.`);

  const line = `export { ${name} } from "./${folder}/${kebab}.js";\n`;
  const index = read(`${source}/index.ts`);
  const catalogue = read(`${source}/catalogue.ts`);
  const end = catalogue.lastIndexOf("];");
  made[`${source}/index.ts`] = withLine(index, line, `./${folder}/${kebab}.js`);
  made[`${source}/catalogue.ts`] = `${catalogue.slice(0, end)}${files.entry(names)}${catalogue.slice(end)}`;
  for (const [path, text] of Object.entries(made)) await write(path, text);
  console.log(`${Object.keys(made).join("\n")}\nNow make it what you mean, and run npm test.`);
}

/** The index with one more line, before the first module that comes later in the alphabet. */
function withLine(index, line, module) {
  const later = [...index.matchAll(/^export \{[^}]*\} from "([^"]+)";\n/gm)].find(
    ([, path]) => path > module,
  );
  return later ? index.slice(0, later.index) + line + index.slice(later.index) : index + line;
}

function read(path) {
  return readFileSync(join(root, path), "utf8");
}

async function write(path, text) {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  const options = { ...(await prettier.resolveConfig(file)), filepath: file };
  writeFileSync(file, /\.mdx?$/.test(path) ? text : await prettier.format(text, options));
}
