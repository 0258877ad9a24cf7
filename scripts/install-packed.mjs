// Installs packed packages with npm in a folder that knows nothing of this repository, as a user does.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * @param {string} folder - An empty folder.
 * @param {Map<string, string>} tarballs - All packed packages, as `packAll` returns them.
 * @param {string[]} wanted - Names of those that the user asks for; the rest are found when these depend on them.
 * @param {{ offline: boolean }} options - `offline`: nothing but the tarballs is needed.
 */
export function installPacked(folder, tarballs, wanted, { offline }) {
  const files = new Map([...tarballs].map(([name, path]) => [name, pathToFileURL(path).href]));
  const json = {
    name: "user",
    private: true,
    dependencies: Object.fromEntries(wanted.map((name) => [name, files.get(name)])),
    // What a registry would answer for the packages that these depend on.
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
