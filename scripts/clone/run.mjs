// Clones the last commit into an empty folder, with empty caches, as a new contributor has it, and runs `npm test`
// there. Its closing line is the result.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const git = (...args) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();

const outside = mkdtempSync(join(tmpdir(), "qkv-clone-"));
const folder = join(outside, "alone", "qkv");
mkdirSync(join(outside, "alone"));
try {
  const commit = git("rev-parse", "HEAD");
  if (git("status", "--porcelain") !== "")
    console.log("Changes that are not committed are not in the clone.");
  git("clone", "--quiet", "--no-checkout", root, folder);
  execFileSync("git", ["checkout", "--quiet", "--detach", commit], { cwd: folder });
  console.log(`${commit} in ${folder}`);
  const { status, error } = spawnSync("npm", ["test"], {
    cwd: folder,
    env: emptyCaches(),
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  if (error) console.error(error.message);
  process.exitCode = status ?? 1;
} finally {
  rmSync(outside, { recursive: true, force: true });
}

/**
 * The environment without variables of this checkout: its node_modules/.bin, its data, settings of npm and pnpm. The
 * caches of npm, pnpm and turbo are empty. The registry is unchanged.
 */
function emptyCaches() {
  const ours = /^(npm_(?!config_(registry|userconfig)$)|pnpm_|turbo_|qkv_|init_cwd$|node_path$)/i;
  const rest = Object.entries(process.env).filter(([name]) => !ours.test(name));
  const path = (process.env.PATH ?? "").split(delimiter);
  return {
    ...Object.fromEntries(rest),
    PATH: path.filter((each) => !each.startsWith(join(root, "node_modules"))).join(delimiter),
    npm_config_cache: join(outside, "npm"),
    XDG_CACHE_HOME: join(outside, "cache"),
    XDG_DATA_HOME: join(outside, "data"),
    XDG_STATE_HOME: join(outside, "state"),
  };
}
