// Runs `changeset version` in a temporary copy of the repository's package files.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { allPackages } from "../packages.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const tool = dirname(createRequire(import.meta.url).resolve("@changesets/cli/package.json"));
const { bin } = JSON.parse(readFileSync(join(tool, "package.json"), "utf8"));

/** The file that Node runs for the command `changeset`. */
export const changesetProgram = join(tool, typeof bin === "string" ? bin : bin.changeset);

/**
 * @param {string} folder - An empty folder, for copies of each package's package.json and CHANGELOG.
 * @param {Map<string, string>} changesets - Texts by file name.
 * @param {string} [from] - A version for all packages to start from, instead of their own.
 * @returns {{ name: string, folder: string, before: string, after: string }[]} Each package, after the release.
 */
export function copyOfRelease(folder, changesets, from) {
  mkdirSync(join(folder, ".changeset"));
  for (const file of ["config.json", "changelog.mjs"]) {
    cpSync(join(root, ".changeset", file), join(folder, ".changeset", file));
  }
  writeFileSync(join(folder, "package.json"), '{ "name": "workspace", "private": true }\n');
  writeFileSync(join(folder, "pnpm-workspace.yaml"), "packages: [packages/*]\n");
  const packages = allPackages().map(({ name, folder: own, json }) => {
    const copy = join(folder, "packages", basename(own));
    mkdirSync(copy, { recursive: true });
    const version = from ?? json.version;
    writeFileSync(join(copy, "package.json"), `${JSON.stringify({ ...json, version }, null, 2)}\n`);
    const log = join(own, "CHANGELOG.md");
    if (existsSync(log)) cpSync(log, join(copy, "CHANGELOG.md"));
    return { name, folder: copy, before: version };
  });
  for (const [file, text] of changesets) writeFileSync(join(folder, ".changeset", file), text);
  const git = (...args) =>
    execFileSync("git", ["-c", "user.name=release", "-c", "user.email=release@localhost", ...args], {
      cwd: folder,
      stdio: "pipe",
    });
  git("init", "-q", "-b", "main");
  git("add", "-A");
  git("commit", "-qm", "before the release");
  // Without a changeset the command fails.
  if (changesets.size > 0) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [changesetProgram, "version"], {
      cwd: folder,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`changeset version refuses the changesets:\n${stdout}${stderr}`);
  }
  return packages.map((each) => {
    const { version } = JSON.parse(readFileSync(join(each.folder, "package.json"), "utf8"));
    return { ...each, after: version };
  });
}

/**
 * The packages that a patch of one package bumps, starting from the current versions.
 *
 * @param {string} name
 */
export function bumpedByPatch(name) {
  const folder = mkdtempSync(join(tmpdir(), "qkv-patch-"));
  try {
    const packages = copyOfRelease(
      folder,
      new Map([["a-patch.md", `---\n"${name}": patch\n---\n\nMended it.\n`]]),
    );
    return packages.filter(({ before, after }) => before !== after);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
