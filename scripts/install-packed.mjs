// Installs packed packages with npm in a folder outside this repository, as a user does.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * @param {string} folder - An empty folder.
 * @param {Map<string, string>} tarballs - All packed packages, as `packAll` returns them.
 * @param {string[]} wanted - Packages in the user's package.json. The other tarballs serve as their dependencies.
 * @param {{ offline: boolean }} options - `offline`: the packages have no dependencies besides the tarballs.
 */
export function installPacked(folder, tarballs, wanted, { offline }) {
  const files = new Map([...tarballs].map(([name, path]) => [name, pathToFileURL(path).href]));
  const json = {
    name: "user",
    private: true,
    dependencies: Object.fromEntries(wanted.map((name) => [name, files.get(name)])),
    // Dependencies resolve to the tarballs instead of the registry.
    overrides: Object.fromEntries([...files].filter(([name]) => !wanted.includes(name))),
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(json, null, 2));
  execFileSync(
    "npm",
    ["install", "--no-audit", "--no-fund", "--ignore-scripts", offline ? "--offline" : "--prefer-offline"],
    {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
      shell: process.platform === "win32",
    },
  );
}
