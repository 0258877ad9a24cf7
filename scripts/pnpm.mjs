// Runs a command with the pinned pnpm (which installs Node 24), after installing the versions in the lockfile:
//   node scripts/pnpm.mjs turbo run build
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

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

function pnpm(args, failed = () => {}) {
  const quoted = windows ? args.map((arg) => (/[\s"]/.test(arg) ? JSON.stringify(arg) : arg)) : args;
  const { status, error } = spawnSync("npx", ["--yes", packageManager, ...quoted], {
    cwd: root,
    // Paths in arguments are relative to the caller's folder. npx overwrites INIT_CWD, so it is passed under another
    // name.
    env: { ...process.env, QKV_CWD: process.env.INIT_CWD ?? process.cwd() },
    stdio: "inherit",
    shell: windows,
  });
  if (error) console.error(error.message);
  if (status === 0) return;
  failed();
  process.exit(status ?? 1);
}

const command = process.argv.slice(2);

// `--silent` reserves stdout for the command's own output (--json). A test run ends with its closing line even if the
// installation fails.
pnpm(["install", "--frozen-lockfile", ...(command.includes("--json") ? ["--silent"] : [])], () => {
  if (command.includes("scripts/verify.mjs")) console.log("0 passed, 1 failed");
});
pnpm(["exec", ...command]);
