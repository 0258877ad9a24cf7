// Versions and changelogs of a release for typical changesets, on copies of the packages' package.json files, with the
// changesets configuration of this repository.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { publicPackages } from "../scripts/packages.mjs";
import { bumpedByPatch, copyOfRelease } from "../scripts/release/copy-of-release.mjs";
import { casesByTier } from "../scripts/tier.mjs";

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

/** The packages whose version a changeset changes, if all start at version `from`. */
function released(from: string, bumps: Record<string, "patch" | "minor" | "major">, text = "Did it.") {
  const folder = mkdtempSync(join(tmpdir(), "qkv-versions-"));
  folders.push(folder);
  const head = Object.entries(bumps).map(([name, bump]) => `"${name}": ${bump}`);
  const changeset = `---\n${head.join("\n")}\n---\n\n${text}\n`;
  const packages = copyOfRelease(folder, new Map([["a-change.md", changeset]]), from);
  const changed = packages.filter(({ before, after }) => before !== after);
  const versions = Object.fromEntries(changed.map(({ name, after }) => [name, after]));
  const changelog = (name: string) =>
    readFileSync(join(packages.find((each) => each.name === name)!.folder, "CHANGELOG.md"), "utf8");
  const dependencies = (name: string) => {
    const { folder: own } = packages.find((each) => each.name === name)!;
    return JSON.parse(readFileSync(join(own, "package.json"), "utf8")).dependencies;
  };
  return { versions, changelog, dependencies };
}

test("a patch of core bumps core only: the ranges of its dependents include it", () => {
  expect(released("1.2.3", { "@qkv/core": "patch" }).versions).toEqual({ "@qkv/core": "1.2.4" });
  expect(released("0.3.1", { "@qkv/core": "patch" }).versions).toEqual({ "@qkv/core": "0.3.2" });
});

/** Without new packages: their changeset creates their first version. */
const versioned = publicPackages().filter(({ json }) => json.version !== "0.0.0");

const patched = casesByTier(versioned, ({ name }) => name === "@qkv/tensor");

test.each(patched.map(({ name }) => name))("a patch of %s bumps it alone", (name) => {
  expect(
    bumpedByPatch(name).map((bumped) => bumped.name),
    "the ranges of the others hold a patch: give siblings as workspace:^",
  ).toEqual([name]);
});

test("the changelog of each package begins with its current version, and is published", () => {
  for (const { name, folder, json } of versioned) {
    expect(readFileSync(join(folder, "CHANGELOG.md"), "utf8"), name).toMatch(
      new RegExp(`^# ${name}\\n\\n## ${json.version}\\n`),
    );
    expect(json.files, `${name}: its changelog is published with it`).toContain("CHANGELOG.md");
  }
});

test("each pending changeset names public packages", () => {
  const pending = new URL("../.changeset/", import.meta.url);
  const names = publicPackages().map(({ name }) => name);
  for (const file of readdirSync(pending).filter((file) => file.endsWith(".md"))) {
    const [, head = ""] = readFileSync(new URL(file, pending), "utf8").split("---\n");
    const named = [...head.matchAll(/^"(.+)": (?:patch|minor|major)$/gm)].map(([, name]) => name);
    expect(named, `.changeset/${file}: give a line such as \`"@qkv/tensor": minor\``).not.toEqual([]);
    expect(names, `.changeset/${file}: the command's package is qkv`).toEqual(expect.arrayContaining(named));
  }
});

test("from version 1 on, a minor of tensor bumps tensor only", () => {
  expect(released("1.2.3", { "@qkv/tensor": "minor" }).versions).toEqual({ "@qkv/tensor": "1.3.0" });
});

test("before version 1, a minor of tensor is outside the ranges, so its dependents get a patch", () => {
  const { versions } = released("0.3.1", { "@qkv/tensor": "minor" });
  expect(versions).toMatchObject({
    "@qkv/tensor": "0.4.0",
    "@qkv/attention": "0.3.2",
    "@qkv/kv-cache": "0.3.2",
    "@qkv/wasm": "0.3.2",
    "@qkv/transformer": "0.3.2",
    qkv: "0.3.2",
  });
  for (const name of ["@qkv/core", "@qkv/tokenizer", "@qkv/cost", "@qkv/viz"]) {
    expect(versions).not.toHaveProperty([name]);
  }
});

test("a new mechanism is a minor of attention, with its description in the changelog", () => {
  const text = "Added `everyOther(distance)`, a mask for `attention`.";
  const { versions, changelog } = released("1.2.3", { "@qkv/attention": "minor" }, text);
  expect(versions).toEqual({ "@qkv/attention": "1.3.0" });
  expect(changelog("@qkv/attention")).toMatch(
    /^# @qkv\/attention\n\n## 1\.3\.0\n\n### Minor Changes\n\n- Added `everyOther\(distance\)`, a mask for `attention`\.\n/,
  );
});

test("a breaking change of the contract is a major of tensor; its dependents get a patch with the new range and the reason", () => {
  const { versions, changelog, dependencies } = released(
    "1.2.3",
    { "@qkv/tensor": "major" },
    "Breaking: `BoundMask` has no `tile`.",
  );
  expect(versions).toMatchObject({
    "@qkv/tensor": "2.0.0",
    "@qkv/attention": "1.2.4",
    "@qkv/kv-cache": "1.2.4",
    "@qkv/wasm": "1.2.4",
    "@qkv/transformer": "1.2.4",
    qkv: "1.2.4",
  });
  for (const name of ["@qkv/core", "@qkv/tokenizer", "@qkv/cost", "@qkv/viz"]) {
    expect(versions).not.toHaveProperty([name]);
  }
  expect(dependencies("@qkv/attention")["@qkv/tensor"]).toBe("workspace:^");
  expect(changelog("@qkv/tensor")).toMatch(/## 2\.0\.0\n\n### Major Changes\n\n- Breaking: `BoundMask`/);
  expect(changelog("@qkv/attention")).toMatch(/### Patch Changes\n\n- Uses `@qkv\/tensor` 2\.0\.0/);
});
