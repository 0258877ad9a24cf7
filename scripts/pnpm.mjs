// Runs a command with the pinned pnpm (which installs Node 24), after installing the versions in the lockfile:
//   node scripts/pnpm.mjs turbo run build
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter } from "node:path";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (process.platform === "darwin" && (major < 22 || (major === 22 && minor < 18))) {
  console.error(
    `This is Node ${process.versions.node}. On macOS the project uses your own Node and needs 22.18 or newer.\n` +
      `Fix: install Node 24 (https://nodejs.org) and run the command again.`,
  );
  process.exit(1);
}
if (major < 20) {
  console.error(
    `This is Node ${process.versions.node}; 20 or newer is needed.\nFix: install Node 24 (https://nodejs.org).`,
  );
  process.exit(1);
}

const root = new URL("../", import.meta.url);
const { packageManager } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
const windows = process.platform === "win32";
const command = process.argv.slice(2);
const { PATH } = process.env;

// Paths in arguments are relative to the caller's folder. pnpm overwrites INIT_CWD, so it is passed under another name.
process.env.QKV_CWD = process.env.INIT_CWD ?? process.cwd();

function run(name, args, stdio = "inherit") {
  const quoted = windows ? args.map((arg) => (/[\s"]/.test(arg) ? JSON.stringify(arg) : arg)) : args;
  return spawnSync(name, quoted, { cwd: root, stdio, shell: windows, encoding: "utf8" });
}

function notInstalled({ status, error }) {
  if (error) console.error(error.message);
  if (command.includes("scripts/verify.mjs")) console.log("0 passed, 1 failed"); // the closing line of every test run
  process.exit(status || 1);
}

/** Puts a folder first on PATH; true if its pnpm is the pinned version. */
function usePnpm(folder) {
  process.env.PATH = folder + delimiter + PATH;
  return `pnpm@${run("pnpm", ["--version"], "pipe").stdout?.trim()}` === packageManager;
}

// npx takes seconds to find a version that it has, so the folder where it is is kept for the next command.
const kept = new URL("node_modules/.pnpm-folder", root);
let folder = existsSync(kept) ? readFileSync(kept, "utf8") : undefined;
if (!folder || !usePnpm(folder)) {
  process.env.PATH = PATH;
  const found = run(
    "npx",
    ["--yes", "-p", packageManager, "node", "-p", "process.env.PATH"],
    ["ignore", "pipe", "inherit"],
  );
  folder = found.stdout?.trim().split(delimiter).find(usePnpm);
  if (!folder) notInstalled(found);
}

// `--silent` reserves stdout for the command's own output (--json).
const quiet = command.includes("--json") ? ["--silent"] : [];
const installed = run("pnpm", ["install", "--frozen-lockfile", ...quiet]);
if (installed.status !== 0) notInstalled(installed);
writeFileSync(kept, folder);

process.exit(run("pnpm", ["exec", ...command]).status ?? 1);
