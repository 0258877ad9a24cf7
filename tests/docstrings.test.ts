// Each `@example` of a docstring runs as it is shown, on the built packages.
import { globSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { allPackages } from "../scripts/packages.mjs";
import { docstringBlocks } from "./code-blocks.js";
import { runExamples } from "./example.js";

const root = fileURLToPath(new URL("../", import.meta.url));

const packages = allPackages().map(({ name, folder }) => {
  const sources = globSync("src/**/*.ts", {
    cwd: folder,
    exclude: (path) => path.endsWith(".test.ts"),
  }).sort();
  return { name, folder, sources: sources.map((path) => join(folder, path)) };
});

test.each(packages)("the docstring examples of $name hold", async ({ folder, sources }) => {
  const blocks = sources.flatMap((path) => docstringBlocks(readFileSync(path, "utf8"), relative(root, path)));
  expect((await runExamples(folder, blocks)).flat()).toEqual([]);
});
