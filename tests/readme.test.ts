// The examples of READMEs run unchanged on the built packages.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { publicPackages } from "../scripts/packages.mjs";
import { codeBlocks } from "./code-blocks.js";
import { compileExample, runExamples } from "./example.js";
import { readmeExamples } from "./shown-examples.js";
import { firstInstallPackages } from "./install-commands.js";

const root = fileURLToPath(new URL("../", import.meta.url));

test.each(readmeExamples())(
  "the README of $name has a checked example, and every example holds",
  async ({ folder, blocks }) => {
    const checks = blocks.flatMap((block) => compileExample(block).checks);
    expect(checks.length, "lines with `// =>`").toBeGreaterThan(0);
    expect((await runExamples(folder, blocks)).flat()).toEqual([]);
  },
);

// With pnpm and Deno, indirect dependencies do not resolve.
test.each(publicPackages())("the README of $name imports what it tells to install", ({ name, folder }) => {
  const text = readFileSync(join(folder, "README.md"), "utf8");
  const installed = firstInstallPackages(text);
  expect(installed).toContain(name);
  const blocks = ["ts", "js"].flatMap((language) => codeBlocks(text, "README.md", 1, language));
  const imported = blocks.flatMap(({ code }) =>
    [...code.matchAll(/from "((?:@[^/"]+\/)?[^/"]+)[^"]*"/g)].map(([, from]) => from),
  );
  expect(installed).toEqual(expect.arrayContaining(imported));
});

test.each(publicPackages())(
  "the README of $name says whether its names are experimental",
  ({ json, folder }) => {
    const text = readFileSync(join(folder, "README.md"), "utf8");
    expect(/\bexperimental\b/.test(text), "`stability` in its package.json").toBe(
      json.stability !== "stable",
    );
  },
);

// npm shows the README outside of the repository: relative paths would be dead links.
test.each(publicPackages())("the README of $name links to addresses", ({ folder }) => {
  const text = readFileSync(join(folder, "README.md"), "utf8");
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to!);
  expect(links.filter((to) => !/^(https:|#)/.test(to))).toEqual([]);
});

test.each(publicPackages())(
  "links of the README of $name to this repository and its site exist",
  ({ folder }) => {
    const text = readFileSync(join(folder, "README.md"), "utf8");
    const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading!));
    for (const [, to] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      const [, path] = /^https:\/\/github\.com\/qkv-js\/qkv\/(?:blob|tree)\/main\/([^#]*)/.exec(to!) ?? [];
      const [, page] = /^https:\/\/qkv-js\.github\.io\/qkv\/([^#]*?)\/?(?:#.*)?$/.exec(to!) ?? [];
      if (path !== undefined) expect(existsSync(join(root, path)), to).toBe(true);
      if (page !== undefined)
        expect(
          sources(page).some((source) => existsSync(source)),
          to,
        ).toBe(true);
      if (to!.startsWith("#")) expect(headings).toContain(to!.slice(1));
    }
  },
);

/** Files that may be the source of a page of the site. */
const sources = (page: string) =>
  [page.replace(/^learn\//, "lessons/"), `src/pages/${page}`].flatMap((path) =>
    [".mdx", ".md", ".tsx", "/index.mdx"].map((end) => join(root, "apps/docs", path + end)),
  );

/** The anchor of a heading, as GitHub makes it. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");

test("training is found from qkv: keywords, and links of its README", () => {
  const { json, folder } = publicPackages().find(({ name }) => name === "qkv")!;
  expect(json.keywords).toEqual(expect.arrayContaining(["training", "fine-tuning", "lora", "optimizer"]));
  const text = readFileSync(join(folder, "README.md"), "utf8");
  for (const page of ["reference/tensor/optimizers", "guides/train-in-a-tab", "guides/fine-tune-with-lora"])
    expect(text).toContain(`(https://qkv-js.github.io/qkv/${page}/)`);
});
