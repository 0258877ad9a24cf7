// The packages of the workspace, read from their folders.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../packages/", import.meta.url));

/**
 * All packages with a build, as `{ name, folder, json }`, ordered by folder name.
 *
 * @returns {{ name: string, folder: string, json: Record<string, any> }[]}
 */
export function allPackages() {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => existsSync(join(path, "package.json")))
    .map((path) => {
      const json = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
      return { name: json.name, folder: path, json };
    })
    .filter(({ json }) => json.scripts.build);
}

/** The packages that are published. */
export function publicPackages() {
  return allPackages().filter(({ json }) => !json.private);
}
