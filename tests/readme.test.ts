// The examples of READMEs run unchanged on the built packages.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { publicPackages } from "../scripts/packages.mjs";
import { codeBlocks } from "./code-blocks.js";
import { compileExample, runExamples } from "./example.js";
import { readmeExamples } from "./shown-examples.js";
import { firstInstallPackages } from "./install-commands.js";

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
