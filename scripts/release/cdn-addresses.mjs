// Addresses of a CDN in READMEs name a version range of the package `qkv`: `qkv@0.1` before version 1, `qkv@1` after it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publicPackages } from "../packages.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** READMEs with such an address. */
export const readmesWithCdn = [root, ...publicPackages().map(({ folder }) => folder)]
  .map((folder) => join(folder, "README.md"))
  .filter((path) => readFileSync(path, "utf8").includes("cdn.jsdelivr.net/npm/qkv@"));

/**
 * The text with addresses of the versions that are compatible with this one.
 *
 * @param {string} text
 * @param {string} version - Of the package `qkv`.
 */
export function withCdnVersion(text, version) {
  const [major, minor] = version.split(".");
  const range = major === "0" ? `0.${minor}` : major;
  return text.replaceAll(/(cdn\.jsdelivr\.net\/npm\/qkv@)[\d.]+(?=\/)/g, `$1${range}`);
}
