// The Nodes at hand: the one the project brings, and others where the machine has them.
import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";

/**
 * The path of a Node of the major version, or undefined. Looks at the running one, then in `first`, then along PATH,
 * then where systems put it.
 *
 * @param {number} major
 * @param {string[]} [first] - More folders, before others.
 * @returns {string | undefined}
 */
export function nodeOf(major, first = []) {
  const name = process.platform === "win32" ? "node.exe" : "node";
  const folders = [...first, ...(process.env.PATH ?? "").split(delimiter), "/usr/bin", "/usr/local/bin"];
  const candidates = [
    process.execPath,
    ...new Set(folders.filter(Boolean).map((folder) => join(folder, name))),
  ];
  return candidates.find((path) => {
    const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
    return stdout?.startsWith(`v${major}.`);
  });
}
