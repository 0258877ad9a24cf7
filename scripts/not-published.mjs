// Until the first release, READMEs that open with an install line say that the packages are not on npm yet. `published`
// of the repository's package.json decides; this script adds the line or removes it, and the site reads the same field.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publicPackages } from "./packages.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const section = "#install-from-a-clone";

/** True after the first release. */
export const { published } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** The READMEs of the repository and of each public package, with the line for each. */
export const readmes = [
  { path: join(root, "README.md"), line: lineWith(section) },
  ...publicPackages().map(({ folder }) => ({
    path: join(folder, "README.md"),
    line: lineWith(`https://github.com/qkv-js/qkv${section}`),
  })),
];

function lineWith(link) {
  return `> Not on npm yet: until the first release, [install from a clone](${link}).`;
}

/**
 * The README with the line above its first command, or without the line.
 *
 * @param {string} text
 * @param {string} line
 * @param {boolean} published
 */
export function asPublished(text, line, published) {
  const without = text.replace(`${line}\n\n`, "");
  return published ? without : without.replace(/^```sh$/m, `${line}\n\n\`\`\`sh`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { path, line } of readmes)
    writeFileSync(path, asPublished(readFileSync(path, "utf8"), line, published));
}
