// `pnpm new …` in a copy of the repository: the generated files pass types, lint, format and tests. The names are
// improbable, since an existing name would be refused.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
const copy = mkdtempSync(join(tmpdir(), "qkv-new-"));
// As a contributor runs it, in no tier.
const { QKV_TIER: _, ...env } = process.env;
const run = (...args: string[]) => spawnSync(process.execPath, args, { cwd: copy, encoding: "utf8", env });
const tool = (path: string) => join(root, "node_modules", path);

beforeAll(() => {
  const left = ["node_modules", "dist", "build", "coverage", ".docusaurus", ".cache", "static"];
  const filter = (from: string) => !left.includes(from.split(/[\\/]/).at(-1) ?? "");
  for (const path of [
    ...["packages", "apps", "scripts", ".changeset", "package.json", "tsconfig.base.json"],
    ...["tests/boundaries.test.ts", ".size-limit.json", "tsup.config.base.ts"],
    ...["eslint.config.js", ".prettierrc", ".prettierrc.json", ".prettierignore", "vitest.config.ts"],
  ]) {
    if (existsSync(join(root, path))) cpSync(join(root, path), join(copy, path), { recursive: true, filter });
  }
  // Without project references, whose folders would have to exist.
  writeFileSync(join(copy, "tsconfig.json"), '{ "files": [], "references": [] }');
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "junction");
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

const source = "packages/attention/src";

describe.each([
  { kind: "mask", name: "scaffoldedMask", folder: "masks", kebab: "scaffolded-mask" },
  { kind: "bias", name: "scaffoldedBias2", folder: "biases", kebab: "scaffolded-bias2" },
  { kind: "mixer", name: "scaffoldedMixer", folder: "mixers", kebab: "scaffolded-mixer" },
  { kind: "score", name: "scaffoldedScore", folder: "scores", kebab: "scaffolded-score" },
])("a new $kind", ({ kind, name, folder, kebab }) => {
  const files = [
    `${source}/${folder}/${kebab}.ts`,
    `${source}/${folder}/${kebab}.test.ts`,
    `${source}/index.ts`,
    `${source}/catalogue.ts`,
    `apps/docs/examples/${kebab}.ts`,
    `apps/docs/changes/${kebab}.ts`,
  ];
  const written = (path: string) => readFileSync(join(copy, path), "utf8");

  test("writes every file", () => {
    const { status, stdout, stderr } = run("scripts/new.mjs", "mechanism", name, "--kind", kind);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain(`exec vitest run ${files[1]}`);
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
    const typeErrors = types.stdout.split("\n").filter((line) => line.includes(kebab));
    expect(
      typeErrors,
      "errors of types in what the scaffold writes: mend its template in scripts/new/",
    ).toEqual([]);
  });

  test("passes its tests, those of the catalogue, and its page's example", () => {
    const args = ["run", "--project", "node", files[1]!, `${source}/catalogue.test.ts`];
    // The catalogue includes the mask in the tests of all masks.
    if (kind === "mask")
      args.push(
        `${source}/masks/every-mask.test.ts`,
        "--reporter=verbose",
        "--reporter=./scripts/closing-line.mjs",
      );
    // The catalogue includes the mixer in the tests of all mixers.
    if (kind === "mixer") args.push(`${source}/mixers/every-mixer.test.ts`, "-t", `${name}|catalogue|entry`);
    const { stdout, status } = run(tool("vitest/vitest.mjs"), ...args);
    if (kind === "mask")
      expect(stdout).toContain(`property: ${name}, of the catalogue, never contradicts itself`);
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

  test("refuses a name that exists", () => {
    const { status, stderr } = run("scripts/new.mjs", "mechanism", name, "--kind", kind);
    expect(status).toBe(1);
    expect(stderr).toMatch(/exists already.\nFix: choose another name/);
  });
});

describe("a new architecture", () => {
  const folder = "packages/transformer/src/architectures";
  const files = [
    `${folder}/scaffolded-one.ts`,
    `${folder}/scaffolded-one.test.ts`,
    `${folder}/architectures.ts`,
  ];

  test("writes its table, a test, a line in the list and a changeset", () => {
    const { status, stderr } = run("scripts/new.mjs", "architecture", "scaffolded_one");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(readFileSync(join(copy, ".changeset/scaffolded-one.md"), "utf8")).toContain(
      '"@qkv/transformer": minor',
    );
    expect(readFileSync(join(copy, files[2]!), "utf8")).toMatch(/scaffoldedOne,\n\];/);
  });

  test("passes format, lint and its tests", () => {
    expect(run(tool("prettier/bin/prettier.cjs"), "--check", ...files)).toMatchObject({ status: 0 });
    expect(run(tool("eslint/bin/eslint.js"), ...files)).toMatchObject({ stdout: "", status: 0 });
    const { stdout, status } = run(tool("vitest/vitest.mjs"), "run", "--project", "node", files[1]!);
    expect(stdout).toMatch(/2 passed, 0 failed/);
    expect(status).toBe(0);
  });

  test("requires a name in the form of model_type", () => {
    const { status, stderr } = run("scripts/new.mjs", "architecture", "ScaffoldedOne");
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("Fix: use snake_case, as `model_type` has: scaffolded_one."),
    });
  });
});

test("a name that is not a function's is refused", () => {
  const { status, stderr } = run("scripts/new.mjs", "mechanism", "scaffolded-mask");
  expect({ status, stderr }).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("Fix: use camelCase, as functions have: scaffoldedMask."),
  });
});

test("`new mask` writes what `new mechanism --kind mask` writes", () => {
  expect(run("scripts/new.mjs", "mask", "scaffoldedMask3")).toMatchObject({ status: 0, stderr: "" });
  expect(
    existsSync(join(copy, source, "masks/scaffolded-mask3.test.ts")),
    "the mask has a test beside it",
  ).toBe(true);
});

const documented = ["CONTRIBUTING.md", "apps/docs/guides/add-a-mechanism.mdx"].flatMap((page) =>
  [
    ...readFileSync(join(root, page), "utf8").matchAll(/\bnew ((?:mask|mechanism|page|package) [^`\n]+)/g),
  ].map(([, args]) => ({ page, args: args! })),
);
const commands = documented.filter(
  ({ args }, i) => documented.findIndex((other) => other.args === args) === i,
);

test.each(commands.filter(({ args }) => !args.includes("NAME")))(
  "`new $args`, as $page has it, is accepted",
  ({ args }) => {
    expect(run("scripts/new.mjs", ...args.split(" "))).toMatchObject({ status: 0, stderr: "" });
  },
);

test("a new page passes format and lint, and its example runs", () => {
  expect(run("scripts/new.mjs", "page", "scaffolded-page")).toMatchObject({ status: 0, stderr: "" });
  expect(readFileSync(join(copy, "apps/docs/lessons/scaffolded-page.mdx"), "utf8")).toContain(
    '<Live example="scaffolded-page" />',
  );
  const example = "apps/docs/examples/scaffolded-page.ts";
  expect(run(tool("prettier/bin/prettier.cjs"), "--check", example)).toMatchObject({ status: 0 });
  expect(run(tool("eslint/bin/eslint.js"), example)).toMatchObject({ stdout: "", status: 0 });
  const args = ["run", "--project", "node", "apps/docs/examples.test.ts", "-t", "scaffolded-page.ts"];
  expect(run(tool("vitest/vitest.mjs"), ...args).stdout).toMatch(/^1 passed, 0 failed/m);
  expect(run("scripts/new.mjs", "page", "scaffoldedPage").stderr).toContain("Fix: use kebab-case");
});

test("a new package passes format, lint, types and its test, and is listed where packages are", () => {
  expect(run("scripts/new.mjs", "package", "scaffolded-package")).toMatchObject({ status: 0, stderr: "" });
  const files = ["package.json", "tsconfig.json", "tsup.config.ts", "src"].map(
    (file) => `packages/scaffolded-package/${file}`,
  );
  const listed = ["tests/boundaries.test.ts", "tsconfig.json", ".size-limit.json"];
  expect(run(tool("prettier/bin/prettier.cjs"), "--check", ...files, ...listed)).toMatchObject({ status: 0 });
  expect(run(tool("eslint/bin/eslint.js"), "packages/scaffolded-package/src")).toMatchObject({
    stdout: "",
    status: 0,
  });
  const types = run(
    tool("typescript/bin/tsc"),
    "-p",
    "packages/scaffolded-package",
    "--noEmit",
    "--pretty",
    "false",
  );
  expect(types.stdout.split("\n").filter((line) => line.includes("scaffolded-package/"))).toEqual([]);
  const tests = run(tool("vitest/vitest.mjs"), "run", "--project", "node", "packages/scaffolded-package");
  expect(tests.stdout).toMatch(/^3 passed, 0 failed/m);
  for (const path of listed) expect(readFileSync(join(copy, path), "utf8")).toContain("scaffolded-package");
});
