// The examples that a reader sees first run as they are shown, on the built packages.
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { publicPackages } from "../scripts/packages.mjs";
import { codeBlocks } from "./code-blocks.js";
import { compileExample, runExamples } from "./example.js";

const root = fileURLToPath(new URL("../", import.meta.url));

// Where the examples of a README run: beside the package, so that only what it declares resolves. The README of the
// repository runs beside the package that depends on all those it shows.
const readmes = [
  { name: "the repository", readme: join(root, "README.md"), folder: join(root, "packages/transformer") },
  ...publicPackages().map(({ name, folder }) => ({ name, readme: join(folder, "README.md"), folder })),
];

test.each(readmes)(
  "the README of $name has a checked example, and every example holds",
  async ({ readme, folder }) => {
    expect(existsSync(readme), `${relative(root, readme)} exists`).toBe(true);
    const blocks = codeBlocks(readFileSync(readme, "utf8"), relative(root, readme));
    expect(
      blocks.flatMap((block) => compileExample(block).checks).length,
      "lines with `// =>`",
    ).toBeGreaterThan(0);
    expect((await runExamples(folder, blocks)).flat()).toEqual([]);
  },
);
