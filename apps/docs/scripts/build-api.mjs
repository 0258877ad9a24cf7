// Writes the API pages from the built packages to .cache/api, from which the site is served and built.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { publicPackages } from "../../../scripts/packages.mjs";
import { apiPages } from "./api/pages.mjs";

const folder = fileURLToPath(new URL("../.cache/api", import.meta.url));
const pages = await apiPages(publicPackages());
rmSync(folder, { recursive: true, force: true });
for (const [file, text] of pages) {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}
console.log(`${pages.size} API pages`);
