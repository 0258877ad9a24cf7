// `pnpm new mask` writes every file of a mask; new-mechanism.slow.test.ts checks and runs what each command writes.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
const copy = mkdtempSync(join(tmpdir(), "qkv-new-mask-"));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

const edited = ["packages/attention/src/index.ts", "packages/attention/src/catalogue.ts"];
for (const path of ["scripts/new.mjs", "scripts/new", ...edited, "package.json", ".prettierrc.json"]) {
  mkdirSync(dirname(join(copy, path)), { recursive: true });
  cpSync(join(root, path), join(copy, path), { recursive: true });
}
symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "junction");

test("a new mask has a file, a test, an export, an entry of the catalogue, a page, an example and a changeset", () => {
  const args = ["scripts/new.mjs", "mask", "scaffoldedMask"];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const written = [".changeset", "apps", "packages"].flatMap((folder) =>
    readdirSync(join(copy, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => /scaffolded-mask\./.test(path))
      .map((path) => `${folder}/${path.replaceAll("\\", "/")}`),
  );
  expect(written.sort()).toEqual([
    ".changeset/scaffolded-mask.md",
    "apps/docs/changes/scaffolded-mask.ts",
    "apps/docs/examples/scaffolded-mask.ts",
    "apps/docs/reference/attention/scaffolded-mask.mdx",
    "packages/attention/src/masks/scaffolded-mask.test.ts",
    "packages/attention/src/masks/scaffolded-mask.ts",
  ]);
  const [index, catalogue] = edited.map((path) => readFileSync(join(copy, path), "utf8"));
  expect(index).toContain('export { scaffoldedMask } from "./masks/scaffolded-mask.js";');
  expect(catalogue).toContain('exports: ["scaffoldedMask"]');
});
