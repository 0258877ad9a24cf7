// Packs every public package as for publishing.
import { execFileSync } from "node:child_process";
import { basename, join } from "node:path";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { publicPackages } from "./packages.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));

/**
 * Packs the built packages into `folder`; `workspace:^` is replaced by a version.
 *
 * @param {string} folder - An existing folder.
 * @returns {Map<string, string>} Path of the tarball by package name.
 */
export function packAll(folder) {
  const packages = publicPackages();
  const filters = packages.flatMap(({ name }) => ["--filter", name]);
  const out = pnpm([...filters, "-r", "pack", "--json", "--pack-destination", folder]);
  const packed = [JSON.parse(out)].flat();
  return new Map(packed.map(({ name, filename }) => [name, join(folder, basename(filename))]));
}

/**
 * Runs the pinned pnpm, and returns its stdout.
 *
 * @param {string[]} args
 * @param {string} cwd
 * @param {NodeJS.ProcessEnv} env
 * @returns {string}
 */
export function pnpm(args, cwd = root, env = process.env) {
  // `pnpm exec` names the running pnpm in an environment variable; otherwise npx runs the pinned one.
  const running = process.env.npm_execpath ?? "";
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const windows = process.platform === "win32";
  const [program, first] = /pnpm(\.exe)?$/.test(running) ? [running, []] : ["npx", ["--yes", packageManager]];
  return execFileSync(program, [...first, ...args], {
    cwd,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    shell: windows && program === "npx",
  });
}
