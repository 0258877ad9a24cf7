// The programs that ours is installed beside: bundlers, compilers, other runtimes, by the lockfile of this folder.
import { existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodeOf } from "../scripts/nodes.mjs";
import { pnpm } from "../scripts/pack.mjs";

const here = fileURLToPath(new URL("./", import.meta.url));
const modules = join(here, "node_modules");
const { platform, arch } = process;

export function installTools() {
  const lock = readFileSync(join(here, "pnpm-lock.yaml"), "utf8");
  const mark = join(modules, ".installed");
  if (existsSync(mark) && readFileSync(mark, "utf8") === lock) return;
  console.error("install: installing bundlers, compilers and runtimes, some 700 MB");
  pnpm(["install", "--frozen-lockfile", "--prefer-offline"], here);
  writeFileSync(mark, lock);
}

/** The Node of a major version, or undefined. */
export function node(major) {
  return nodeOf(major, [join(modules, `node-${major}-${platform}-${arch}`, "bin")]);
}

/** A file of a tool, as `verdaccio/bin/verdaccio`. */
export function toolFile(path) {
  return join(modules, path);
}

/** What `import(name)` gives here. */
export function tool(name) {
  return import(name);
}

/** The program of Deno for this machine, or undefined. It needs no script at install, which its wrapper does. */
export function deno() {
  const name = `@deno/${platform}-${arch}${platform === "linux" ? "-glibc" : ""}`;
  return fileBeside("deno", `${name}/deno${platform === "win32" ? ".exe" : ""}`);
}

/** The program of Bun for this machine, or undefined. */
export function bun() {
  const name = `@oven/bun-${platform === "win32" ? "windows" : platform}-${arch === "arm64" ? "aarch64" : arch}`;
  return fileBeside("bun", `${name}/bin/bun${platform === "win32" ? ".exe" : ""}`);
}

/** A file of a package that another one depends on, where pnpm keeps it. */
function fileBeside(name, file) {
  const at = join(modules, name, "package.json");
  if (!existsSync(at)) return undefined;
  try {
    return createRequire(realpathSync(at)).resolve(file);
  } catch {
    return undefined;
  }
}
