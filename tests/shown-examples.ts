import { existsSync, globSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { allPackages, publicPackages } from "../scripts/packages.mjs";
import { codeBlocks, docstringBlocks, type CodeBlock } from "./code-blocks.js";

/**
 * The examples of one text or package, and the folder they run in: only packages that its package.json declares
 * resolve.
 */
export type Shown = { name: string; folder: string; blocks: CodeBlock[] };

const root = fileURLToPath(new URL("../", import.meta.url));

/** The examples of each README. A listed README without examples, or that does not exist, has an empty list. */
export function readmeExamples(): Shown[] {
  const readmes = [
    // The README of the repository uses qkv, and single packages.
    { name: "the repository", readme: join(root, "README.md"), folder: join(root, "packages/cli") },
    { name: "AGENTS.md", readme: join(root, "packages/cli/AGENTS.md"), folder: join(root, "packages/cli") },
    ...publicPackages().map(({ name, folder }) => ({ name, readme: join(folder, "README.md"), folder })),
  ];
  return readmes.map(({ name, readme, folder }) => ({
    name,
    folder,
    blocks: existsSync(readme) ? codeBlocks(readFileSync(readme, "utf8"), relative(root, readme)) : [],
  }));
}

/** The examples of each package's docstrings. */
export function docstringExamples(): Shown[] {
  return allPackages().map(({ name, folder }) => {
    const sources = globSync("src/**/*.ts", {
      cwd: folder,
      exclude: (path) => path.endsWith(".test.ts"),
    }).sort();
    const blocks = sources.flatMap((source) => {
      const path = join(folder, source);
      return docstringBlocks(readFileSync(path, "utf8"), relative(root, path));
    });
    return { name, folder, blocks };
  });
}
