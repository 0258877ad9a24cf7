// Generates something new, complete and passing: pnpm new mechanism|mask|architecture|page|package NAME
//
// A mechanism is a file with its test, a line in the index, an entry in the catalogue, a page with a live example and a
// suggested change, and a changeset. An architecture is a table with its test, and a line in the list. A page is a lesson
// with an example and a suggested change. A package is a folder with one function, and entries in the package lists. The
// generated files work; replace the rule with yours.
import { Command, Option } from "commander";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as prettier from "prettier";
import * as architecture from "./new/architecture.mjs";
import * as bias from "./new/bias.mjs";
import * as mask from "./new/mask.mjs";
import * as mixer from "./new/mixer.mjs";
import * as lesson from "./new/page.mjs";
import * as library from "./new/package.mjs";
import * as score from "./new/score.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const kinds = {
  mask: { folder: "masks", files: mask },
  bias: { folder: "biases", files: bias },
  mixer: { folder: "mixers", files: mixer },
  score: { folder: "scores", files: score },
};
const source = "packages/attention/src";

const program = new Command("pnpm new").description("Begin something new.");
program
  .command("mechanism")
  .description(
    "a mechanism of @qkv/attention: file, test, page, example, catalogue entry, export line, changeset",
  )
  .argument("<name>", "the function's name in camelCase, as myMask")
  .addOption(new Option("--kind <kind>", "what it is").choices(Object.keys(kinds)).default("mask"))
  .action((name, { kind }) => mechanism(name, kinds[kind]));
program
  .command("mask")
  .description("a mask of @qkv/attention: what `mechanism --kind mask` writes")
  .argument("<name>", "the function's name in camelCase, as myMask")
  .action((name) => mechanism(name, kinds.mask));
program
  .command("architecture")
  .description(
    "a decoder of Hugging Face's that is loaded and exported: table, test, line in the list, changeset",
  )
  .argument("<name>", "its `model_type`, as olmo2 or gpt_neox")
  .action(newArchitecture);
program
  .command("page")
  .description("a lesson of the site, with its live example")
  .argument("<name>", "the page's address in kebab-case, as why-rows-sum-to-one")
  .action(newPage);
program
  .command("package")
  .description("a package @qkv/NAME with one function, its test, README, changeset and size budget")
  .argument("<name>", "the folder's name in kebab-case, as speculative-decoding")
  .action(newPackage);
await program.parseAsync();

async function newPage(kebab) {
  const names = namesOf(
    kebab,
    /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
    "why-rows-sum-to-one",
    "kebab-case, as addresses have",
    toKebab,
  );
  await writeAll(`apps/docs/examples.test.ts -t ${kebab}.ts`, {
    [`apps/docs/lessons/${kebab}.mdx`]: lesson.page(names),
    [`apps/docs/examples/${kebab}.ts`]: lesson.example(names),
    [`apps/docs/changes/${kebab}.ts`]: lesson.changes(names),
  });
}

async function newArchitecture(type) {
  const snake = (name) => toKebab(name).replaceAll("-", "_");
  const names = namesOf(
    type,
    /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/,
    "gpt_neox",
    "snake_case, as `model_type` has",
    snake,
  );
  const { kebab, title } = names;
  const name = toCamel(type);
  const all = { ...names, name, snake: type, class: name[0].toUpperCase() + name.slice(1), title };
  const at = "packages/transformer/src/architectures";
  const list = read(`${at}/architectures.ts`);
  const importing = `import { ${name} } from "./${kebab}.js";\n`;
  const afterImports = list.indexOf("\n", list.lastIndexOf("\nimport ") + 1) + 1;
  const end = list.lastIndexOf("];");
  await writeAll(
    `${at}/${kebab}.test.ts`,
    {
      [`${at}/${kebab}.ts`]: architecture.code(all),
      [`${at}/${kebab}.test.ts`]: architecture.test(all),
      [`.changeset/${kebab}.md`]: architecture.changeset(all),
    },
    {
      [`${at}/architectures.ts`]:
        list.slice(0, afterImports) +
        importing +
        list.slice(afterImports, end) +
        `  ${name},\n` +
        list.slice(end),
    },
  );
  console.log(
    "Name it in packages/transformer/README.md, and write its row of the site with `npm run checkpoints`.",
  );
}

async function newPackage(kebab) {
  const names = namesOf(
    kebab,
    /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
    "speculative-decoding",
    "kebab-case, as folders have",
    toKebab,
  );
  const at = `packages/${kebab}`;
  const boundaries = read("tests/boundaries.test.ts");
  const projects = JSON.parse(read("tsconfig.json"));
  const budgets = JSON.parse(read(".size-limit.json"));
  projects.references.unshift({ path: at });
  budgets.push({
    name: `${kebab}: everything`,
    path: `${at}/dist/index.js`,
    import: "*",
    ignore: ["@qkv/core"],
    gzip: true,
    limit: "1 kB",
  });
  await writeAll(
    `${at}/`,
    {
      [`${at}/package.json`]: library.json(names),
      [`${at}/tsconfig.json`]: library.tsconfig(names),
      [`${at}/tsup.config.ts`]: library.tsup(names),
      [`${at}/README.md`]: library.readme(names),
      [`${at}/src/index.ts`]: library.index(names),
      [`${at}/src/indices-of.ts`]: library.code(names),
      [`${at}/src/indices-of.test.ts`]: library.test(names),
      [`.changeset/${kebab}.md`]: library.changeset(names),
    },
    {
      "tests/boundaries.test.ts": boundaries.replace(
        /^const allowedImports: .*$/m,
        (line) => `${line}\n  "@qkv/${kebab}": ["@qkv/core"],`,
      ),
      "tsconfig.json": JSON.stringify(projects),
      ".size-limit.json": JSON.stringify(budgets),
    },
  );
  console.log("Install it with `npx pnpm@12.21.0 install`, and write its API report with `npm run api`.");
}

function toKebab(name) {
  const words = name.replace(/(?<=.)[A-Z]/g, (letter) => `-${letter}`);
  return words.replace(/[^a-zA-Z0-9]+/g, "-").toLowerCase();
}

function toCamel(name) {
  return toKebab(name).replace(/-+(.)/g, (_, letter) => letter.toUpperCase());
}

/** The name in the forms that templates need. Exits if it is invalid. */
function namesOf(name, form, like, fix, suggest) {
  if (!form.test(name)) {
    program.error(
      `new: the name is "${name}", expected one like ${like}.\nFix: use ${fix}: ${suggest(name)}.`,
    );
  }
  const kebab = toKebab(name);
  const words = kebab.replaceAll("-", " ");
  return { name, kebab, words, title: words[0].toUpperCase() + words.slice(1) };
}

/** Creates and overwrites files, and prints the commands that test them. */
async function writeAll(tests, made, changed = {}) {
  const taken = Object.keys(made).find((path) => existsSync(join(root, path)));
  if (taken) program.error(`new: ${taken} exists already.\nFix: choose another name, or edit that file.`);
  const all = { ...made, ...changed };
  for (const [path, text] of Object.entries(all)) await write(path, text);
  console.log(
    `${Object.keys(all).join("\n")}\nEvery file works as it stands. Replace the rule by yours. Its tests:\n` +
      `  npx pnpm@12.21.0 exec vitest run ${tests}\nEverything: npm test`,
  );
}

async function mechanism(name, { folder, files }) {
  const names = namesOf(name, /^[a-z][a-zA-Z0-9]*$/, "myMask", "camelCase, as functions have", toCamel);
  const { kebab } = names;
  const made = {
    [`${source}/${folder}/${kebab}.ts`]: files.code(names),
    [`${source}/${folder}/${kebab}.test.ts`]: files.test(names),
    [`apps/docs/examples/${kebab}.ts`]: files.example(names),
    [`apps/docs/changes/${kebab}.ts`]: files.changes(names),
    [`apps/docs/reference/attention/${kebab}.mdx`]: files.page(names),
    [`.changeset/${kebab}.md`]: files.changeset(names),
  };

  const line = `export { ${name} } from "./${folder}/${kebab}.js";\n`;
  const index = read(`${source}/index.ts`);
  const catalogue = read(`${source}/catalogue.ts`);
  const end = catalogue.lastIndexOf("\n];") + 1;
  await writeAll(files.tests(names), made, {
    [`${source}/index.ts`]: withLine(index, line, `./${folder}/${kebab}.js`),
    [`${source}/catalogue.ts`]: `${catalogue.slice(0, end)}${files.entry(names)}${catalogue.slice(end)}`,
  });
}

/** The index with one more line, before the next module in alphabetical order. */
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
