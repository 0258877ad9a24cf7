// `pnpm new …` in a copy of the repository: what it writes passes types, lint, format and tests.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
const copy = mkdtempSync(join(tmpdir(), "qkv-new-"));
const run = (...args: string[]) => spawnSync(process.execPath, args, { cwd: copy, encoding: "utf8" });
const tool = (path: string) => join(root, "node_modules", path);

beforeAll(() => {
  const left = ["node_modules", "dist", "build", "coverage", ".docusaurus", ".cache", "static"];
  const filter = (from: string) => !left.includes(from.split(/[\\/]/).at(-1) ?? "");
  for (const path of [
    ...["packages", "apps/docs", "scripts", ".changeset", "package.json", "tsconfig.base.json"],
    ...["tests/boundaries.test.ts", ".size-limit.json", "tsup.config.base.ts"],
    ...["eslint.config.js", ".prettierrc", ".prettierrc.json", ".prettierignore", "vitest.config.ts"],
  ]) {
    if (existsSync(join(root, path))) cpSync(join(root, path), join(copy, path), { recursive: true, filter });
  }
  // Without references, which would have to be there.
  writeFileSync(join(copy, "tsconfig.json"), '{ "files": [], "references": [] }');
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "junction");
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

const source = "packages/attention/src";

describe.each([
  { kind: "mask", name: "everyOther", folder: "masks", kebab: "every-other" },
  { kind: "bias", name: "nearBy2", folder: "biases", kebab: "near-by2" },
])("a new $kind", ({ kind, name, folder, kebab }) => {
  const files = [
    `${source}/${folder}/${kebab}.ts`,
    `${source}/${folder}/${kebab}.test.ts`,
    `${source}/index.ts`,
    `${source}/catalogue.ts`,
    `apps/docs/examples/${kebab}.ts`,
  ];
  const written = (path: string) => readFileSync(join(copy, path), "utf8");

  test("is written whole", () => {
    const { status, stderr } = run("scripts/new.mjs", "mechanism", name, "--kind", kind);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(written(`${source}/index.ts`)).toContain(`export { ${name} } from "./${folder}/${kebab}.js";`);
    expect(written(`${source}/catalogue.ts`)).toContain(`exports: ["${name}"]`);
    expect(written(`apps/docs/reference/attention/${kebab}.mdx`)).toContain(`<Live example="${kebab}" />`);
    expect(written(`.changeset/${kebab}.md`)).toMatch(/^---\n"@qkv\/attention": minor\n---\n\nAdded `/);
  });

  test("passes format, lint and types", () => {
    expect(run(tool("prettier/bin/prettier.cjs"), "--check", ...files)).toMatchObject({ status: 0 });
    expect(run(tool("eslint/bin/eslint.js"), ...files)).toMatchObject({ stdout: "", status: 0 });
    const types = run(
      tool("typescript/bin/tsc"),
      "-p",
      "packages/attention",
      "--noEmit",
      "--pretty",
      "false",
    );
    const own = types.stdout.split("\n").filter((line) => line.includes(kebab));
    expect(own).toEqual([]);
  });

  test("passes its tests, those of the catalogue, and its page's example", () => {
    const args = ["run", "--project", "node", files[1]!, `${source}/catalogue.test.ts`];
    const { stdout, status } = run(tool("vitest/vitest.mjs"), ...args);
    expect(stdout).toMatch(/\d+ passed, 0 failed/);
    expect(status).toBe(0);
    const page = run(
      tool("vitest/vitest.mjs"),
      "run",
      "--project",
      "node",
      "apps/docs/examples.test.ts",
      "-t",
      `${kebab}.ts`,
    );
    expect(page.stdout).toMatch(/^1 passed, 0 failed/m);
  });

  test("is not written twice", () => {
    const { status, stderr } = run("scripts/new.mjs", "mechanism", name, "--kind", kind);
    expect(status).toBe(1);
    expect(stderr).toMatch(/exists already.\nFix: choose another name/);
  });
});

test("a name that is no function's is refused", () => {
  const { status, stderr } = run("scripts/new.mjs", "mechanism", "every-other");
  expect({ status, stderr }).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("Fix: use camelCase"),
  });
});

test("`new mask` writes what `new mechanism --kind mask` writes", () => {
  expect(run("scripts/new.mjs", "mask", "everyFifth")).toMatchObject({ status: 0, stderr: "" });
  expect(existsSync(join(copy, source, "masks/every-fifth.test.ts"))).toBe(true);
});

test("a new page passes format and lint, and its example runs", () => {
  expect(run("scripts/new.mjs", "page", "why-not")).toMatchObject({ status: 0, stderr: "" });
  expect(readFileSync(join(copy, "apps/docs/lessons/why-not.mdx"), "utf8")).toContain(
    '<Live example="why-not" />',
  );
  const example = "apps/docs/examples/why-not.ts";
  expect(run(tool("prettier/bin/prettier.cjs"), "--check", example)).toMatchObject({ status: 0 });
  expect(run(tool("eslint/bin/eslint.js"), example)).toMatchObject({ stdout: "", status: 0 });
  const args = ["run", "--project", "node", "apps/docs/examples.test.ts", "-t", "why-not.ts"];
  expect(run(tool("vitest/vitest.mjs"), ...args).stdout).toMatch(/^1 passed, 0 failed/m);
  expect(run("scripts/new.mjs", "page", "whyNot").stderr).toContain("Fix: use kebab-case");
});

test("a new package passes format, lint, types and its test, and is listed where packages are", () => {
  expect(run("scripts/new.mjs", "package", "far-away")).toMatchObject({ status: 0, stderr: "" });
  const files = ["package.json", "tsconfig.json", "tsup.config.ts", "src"].map(
    (file) => `packages/far-away/${file}`,
  );
  const listed = ["tests/boundaries.test.ts", "tsconfig.json", ".size-limit.json"];
  expect(run(tool("prettier/bin/prettier.cjs"), "--check", ...files, ...listed)).toMatchObject({ status: 0 });
  expect(run(tool("eslint/bin/eslint.js"), "packages/far-away/src")).toMatchObject({ stdout: "", status: 0 });
  const types = run(tool("typescript/bin/tsc"), "-p", "packages/far-away", "--noEmit", "--pretty", "false");
  expect(types.stdout.split("\n").filter((line) => line.includes("far-away/"))).toEqual([]);
  const tests = run(tool("vitest/vitest.mjs"), "run", "--project", "node", "packages/far-away");
  expect(tests.stdout).toMatch(/^3 passed, 0 failed/m);
  for (const path of listed) expect(readFileSync(join(copy, path), "utf8")).toContain("far-away");
});
