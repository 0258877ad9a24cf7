// The packages of the workspace, read from their folders.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../packages/", import.meta.url));

/**
 * Every package that is built, as `{ name, folder, json }`, in order of its folder's name.
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

/** Those that are published. */
export function publicPackages() {
  return allPackages().filter(({ json }) => !json.private);
}
