// Finds installed versions of Node.
import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";

/**
 * Finds the binary of a Node of the given major version. Looks at the running Node, then in `first`, in PATH, and in the
 * system's usual folders.
 *
 * @param {number} major
 * @param {string[]} [first] - Folders to search first.
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
