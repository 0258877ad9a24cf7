// The install commands of a page include all packages that its code imports, in code blocks and live examples.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { publicPackages } from "../scripts/packages.mjs";
import { codeBlocks } from "./code-blocks.js";
import { importedPackages, installedPackages } from "./install-commands.js";

const root = fileURLToPath(new URL("../", import.meta.url));
const read = (...path: string[]) => readFileSync(join(root, ...path), "utf8");

/** Packages that the code of a page imports. `@qkv/page` is private to this site. */
function importedBy(text: string): string[] {
  const blocks = ["ts", "tsx", "js"].flatMap((language) => codeBlocks(text, "page", 1, language));
  const examples = [...text.matchAll(/<Live example="([\w-]+)"/g)].map(([, name]) =>
    read("apps/docs/examples", `${name}.ts`),
  );
  const code = [...blocks.map((block) => block.code), ...examples];
  return importedPackages(code.join("\n")).filter((name) => name !== "@qkv/page");
}

const guides = globSync("apps/docs/guides/*.mdx", { cwd: root }).map((path) => path.replaceAll("\\", "/"));
const readmes = publicPackages().map(({ folder }) => join(folder, "README.md").slice(root.length));

test.each([...guides, "README.md", ...readmes])("%s: the install commands include all imports", (path) => {
  const text = read(path);
  expect(installedPackages(text)).toEqual(expect.arrayContaining(importedBy(text)));
});

const pages = globSync(["apps/docs/lessons/**/*.mdx", "apps/docs/reference/**/*.mdx"], { cwd: root });

// Workers contain the client of the hub; a store reads the hub itself; the command has its own client.
test.each([...guides, ...pages, "README.md", "packages/cli/AGENTS.md", ...readmes])(
  "%s: where a repository is loaded by its name, the page says what that needs",
  (path) => {
    const text = read(path);
    const byName = /\b(?:load\w*|pipeline|useModel)\((?:"[\w-]+", )?"\w[\w.-]*\/[\w.-]+"/.exec(text)?.[0];
    if (byName === undefined) return;
    expect(text, byName).toMatch(/@huggingface\/hub|store: modelStore\(|modelStore\(\);|"@qkv\/worker"/);
  },
);

test("all forms of imports and all install commands are recognized", () => {
  const code =
    'import { a } from "@qkv/viz/react";\nimport {\n  b,\n} from "react";\nawait import("@qkv/wasm");\n';
  expect(importedPackages(`${code}import "./own.js";\nimport "node:fs";`)).toEqual([
    "@qkv/viz",
    "react",
    "@qkv/wasm",
  ]);
  const text = "```sh\nnpm install @qkv/viz react\n```\n\n```sh\nnpm install --global qkv\n```\n";
  expect(installedPackages(text)).toEqual(["@qkv/viz", "react", "qkv"]);
});
