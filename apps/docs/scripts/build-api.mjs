// Writes the API pages from the built packages to .cache/api, from which the site is served and built.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publicPackages } from "../../../scripts/packages.mjs";
import { apiPages } from "./api/pages.mjs";
import { replaceText } from "./live/replace-text.mjs";

const folder = fileURLToPath(new URL("../.cache/api", import.meta.url));
const pages = await apiPages(publicPackages());
mkdirSync(folder, { recursive: true });
for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }))
  if (file.endsWith(".mdx") && !pages.has(file.replaceAll("\\", "/"))) rmSync(join(folder, file));
for (const [file, text] of pages) replaceText(join(folder, file), text);
writeFileSync(join(folder, "written"), new Date().toISOString()); // src/development/api-pages.ts
console.log(`${pages.size} API pages`);
