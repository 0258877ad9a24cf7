// A release without a registry: prints the versions and changelogs of the pending changesets, the files that `npm
// publish` would send, the packages that a patch of each one bumps, which must be itself only, and the list of
// docs/releasing.md. Changes nothing, and needs no network. Needs built packages.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publicPackages } from "./packages.mjs";
import { byPerson, checks } from "./release/checklist.mjs";
import { bumpedByPatch, copyOfRelease } from "./release/copy-of-release.mjs";
import { releaseOf } from "./release/release-of.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const pending = join(root, ".changeset");
const changesets = new Map(
  readdirSync(pending)
    .filter((file) => file.endsWith(".md") && file !== "README.md")
    .map((file) => [file, readFileSync(join(pending, file), "utf8")]),
);

const folder = mkdtempSync(join(tmpdir(), "qkv-release-"));
const counts = { passed: 0, failed: 0 };
let versions;
try {
  const released = copyOfRelease(folder, changesets);
  versions = new Map(released.map(({ name, after }) => [name, after]));
  for (const { name, folder: own, json } of publicPackages()) {
    const { folder: copy, before, after } = released.find((each) => each.name === name);
    console.log(`\n${name} ${before === after ? after : `${before} -> ${after}`}`);
    if (before !== after) console.log(entryOf(after, readFileSync(join(copy, "CHANGELOG.md"), "utf8")));
    for (const file of [...json.files, "README.md"]) {
      if (existsSync(join(own, file)) && file !== "CHANGELOG.md") {
        cpSync(join(own, file), join(copy, file), { recursive: true });
      }
    }
    cpSync(join(root, "LICENSE"), join(copy, "LICENSE"));
    counts[isPublishable(copy, versions) ? "passed" : "failed"] += 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
console.log("\nA patch of one package:");
for (const { name } of publicPackages()) {
  const bumped = bumpedByPatch(name);
  console.log(bumped.map(({ name, before, after }) => `${name} ${before} -> ${after}`).join(", "));
  counts[bumped.length === 1 ? "passed" : "failed"] += 1;
}
console.log("\ndocs/releasing.md:");
const release = releaseOf(versions);
for (const [name, check] of Object.entries(checks)) {
  const problems = check(release);
  console.log(problems.length === 0 ? `ok: ${name}` : `failed: ${name}\n  ${problems.join("\n  ")}`);
  counts[problems.length === 0 ? "passed" : "failed"] += 1;
}
for (const name of byPerson) console.log(`by a person: ${name}`);
console.log(`\n${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;

/** The section of a version in a changelog. */
function entryOf(version, log) {
  const [, entry] = log.split(`## ${version}\n`);
  return entry.split(/^## /m)[0].trim();
}

/** True if npm would publish the folder with the new versions of its siblings. */
function isPublishable(copy, versions) {
  const file = join(copy, "package.json");
  const json = JSON.parse(readFileSync(file, "utf8"));
  for (const name of Object.keys(json.dependencies ?? {})) {
    if (versions.has(name)) json.dependencies[name] = `^${versions.get(name)}`;
  }
  writeFileSync(file, JSON.stringify(json, null, 2));
  const args = ["publish", "--dry-run", "--offline", "--ignore-scripts", "--json", copy];
  const { status, stdout, stderr } = spawnSync("npm", args, {
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  console.log(status === 0 ? `\nwould publish ${summary(stdout)}` : stderr);
  return status === 0;
}

/** The size and the number of files in npm's output, whose format differs between versions. */
function summary(stdout) {
  const answer = JSON.parse(stdout);
  const { id, size, entryCount } = answer.id ? answer : Object.values(answer)[0];
  return `${id}: ${entryCount} files, ${(size / 1000).toFixed(1)} kB packed`;
}
