// Builds and installs another commit of the project, so that both are measured in one run.
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installPacked } from "../scripts/install-packed.mjs";

const here = fileURLToPath(new URL("./", import.meta.url));
const root = join(here, "..");
const git = (...args) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();

/** The commit that is checked out, and whether the working tree differs from it. */
export function thisState() {
  const changed = git("status", "--porcelain", "--", "packages").length > 0;
  return `${git("rev-parse", "--short", "HEAD")}${changed ? " with changes" : ""}`;
}

/**
 * Builds the packages of another commit, once, and copies the current benchmark harness to it.
 *
 * @param {string} ref - A commit, tag or branch.
 * @param {(line: string) => void} say
 * @returns {{ commit: string, child: string }} `child` is the program of a contender that uses those packages.
 */
export function otherState(ref, log) {
  let commit;
  try {
    commit = git("rev-parse", "--verify", "--quiet", `${ref}^{commit}`);
  } catch {
    throw new Error(`--against is ${ref}, expected a commit, tag or branch of this repository`);
  }
  const folder = join(here, ".cache/against", commit);
  if (!existsSync(join(folder, "installed"))) {
    log(`bench: building ${ref}`);
    build(commit, folder);
  }
  copyHarness(folder);
  return { commit: git("rev-parse", "--short", commit), child: join(folder, "harness/child.mjs") };
}

function build(commit, folder) {
  const source = mkdtempSync(join(tmpdir(), "qkv-against-"));
  try {
    const archive = execFileSync("git", ["archive", commit], { cwd: root, maxBuffer: 2 ** 30 });
    execFileSync("tar", ["-x", "-C", source], { input: archive });
    const run = (...command) =>
      execFileSync(process.execPath, ["scripts/pnpm.mjs", ...command], {
        cwd: source,
        stdio: ["ignore", 2, "inherit"],
      });
    // Turbo's cache requires a repository.
    run("turbo", "run", "build", "--filter=./packages/*", "--output-logs=errors-only", "--force");
    const list = join(source, "tarballs.json");
    mkdirSync(join(source, "tarballs"));
    writeFileSync(
      join(source, "pack.mjs"),
      `import { writeFileSync } from "node:fs";\n` +
        `import { packAll } from "./scripts/pack.mjs";\n` +
        `writeFileSync(${JSON.stringify(list)}, JSON.stringify([...packAll(${JSON.stringify(join(source, "tarballs"))})]));\n`,
    );
    run("node", "pack.mjs");
    const tarballs = new Map(JSON.parse(readFileSync(list, "utf8")));
    mkdirSync(join(folder, ".."), { recursive: true });
    const installing = mkdtempSync(join(here, ".cache/against/installing-"));
    installPacked(installing, tarballs, [...tarballs.keys()], { offline: false });
    writeFileSync(join(installing, "installed"), `${commit}\n`);
    rmSync(folder, { recursive: true, force: true });
    renameSync(installing, folder);
  } finally {
    rmSync(source, { recursive: true, force: true });
  }
}

/** Copies the current suites to a folder in which `@qkv/…` resolves to the other commit's packages. */
function copyHarness(folder) {
  const harness = join(folder, "harness");
  rmSync(harness, { recursive: true, force: true });
  mkdirSync(join(harness, "node_modules"), { recursive: true });
  for (const entry of readdirSync(here)) {
    if (entry.endsWith(".mjs") || ["suites", "peers", "lm", "package.json"].includes(entry))
      cpSync(join(here, entry), join(harness, entry), { recursive: true });
  }
  const peers = join(here, "node_modules");
  for (const name of existsSync(peers) ? readdirSync(peers) : []) {
    if (name !== "@qkv" && !name.startsWith("."))
      symlinkSync(join(peers, name), join(harness, "node_modules", name), "junction");
  }
  symlinkSync(join(folder, "node_modules/@qkv"), join(harness, "node_modules/@qkv"), "junction");
}
