// The Nodes at hand: the one the project brings, and an older one where the machine has it.
import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";

/**
 * The path of a Node of the major version, or undefined. Looks at the running one, then along PATH, then where
 * systems put it.
 *
 * @param {number} major
 * @returns {string | undefined}
 */
export function nodeOf(major) {
  const name = process.platform === "win32" ? "node.exe" : "node";
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin", "/usr/local/bin"];
  const candidates = [
    process.execPath,
    ...new Set(folders.filter(Boolean).map((folder) => join(folder, name))),
  ];
  return candidates.find((path) => {
    const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
    return stdout?.startsWith(`v${major}.`);
  });
}
