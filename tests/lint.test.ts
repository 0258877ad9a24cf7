// The ESLint rules of this repository, on valid and invalid code.
import { Linter } from "eslint";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { format } from "prettier";
import { afterAll, expect, test } from "vitest";
import arrows from "../scripts/lint/arrows.mjs";
import * as assemblyscript from "../scripts/lint/assemblyscript.mjs";
import asserts from "../scripts/lint/asserts.mjs";
import cycles from "../scripts/lint/cycles.mjs";
import { problemsIn, sharedNames, twoMeanings } from "../scripts/lint/words.mjs";

const config = {
  plugins: { qkv: { rules: { asserts } } },
  rules: { "qkv/asserts": ["error", { names: ["checkGradient"] }] },
} as const;
const reports = (code: string) => new Linter().verify(code, [config] as never).map(({ message }) => message);

test.each([
  `test("empty", () => {});`,
  `test("calls only", () => { softmax(x); });`,
  `test.each([1, 2])("of several %i", (n) => { run(n); });`,
  `test.skipIf(!node).each(list)("of some", async () => { await run(); });`,
  `it("by a helper that does nothing", () => { helper(); }); function helper() { run(); }`,
  `test("properties without a claim", () => { fc.assert(fc.property(size, (n) => { run(n); })); });`,
  `test("with a time limit", { timeout: 5 }, () => { run(); });`,
])("%s is refused", (code) => {
  expect(reports(code)).toEqual([expect.stringContaining("This test asserts nothing")]);
});

test.each([
  `test("plain", () => { expect(1).toBe(1); });`,
  `test("in a property", () => { fc.assert(fc.property(size, (n) => { expect(n).toBe(n); })); });`,
  `test("by a helper here", () => { helper(); }); const helper = () => { expect(1).toBe(1); };`,
  `test("by a helper that is handed on", () => { list.forEach(helper); }); function helper(x) { expect(x).toBe(1); }`,
  `test("in time", async () => { await expect.poll(() => state()).toBe(1); });`,
  `test("by a helper from elsewhere", () => { checkGradient(f, x); });`,
  `test.each([1])("named", same); function same(n) { expectSame(n); }`,
  `describe("a group", () => { run(); });`,
])("%s is let through", (code) => {
  expect(reports(code), "the rule in scripts/lint/asserts.mjs refuses a test that asserts").toEqual([]);
});

const folder = mkdtempSync(join(tmpdir(), "qkv-lint-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Lint messages for the first of these files, in a package that depends on @qkv/core, and on @qkv/tensor in tests. */
function messages(rule: unknown, name: string, files: Record<string, string>): string[] {
  const source = join(folder, "packages", name, "src");
  const manifest = {
    name: "@qkv/here",
    dependencies: { "@qkv/core": "" },
    devDependencies: { "@qkv/tensor": "" },
  };
  mkdirSync(source, { recursive: true });
  writeFileSync(join(folder, "packages", name, "package.json"), JSON.stringify(manifest));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(source, file)), { recursive: true });
    writeFileSync(join(source, file), text);
  }
  const [[file, text] = ["", ""]] = Object.entries(files);
  const plugin = { rules: { rule } };
  const config = {
    files: ["**/*.ts"],
    plugins: { qkv: plugin },
    rules: { "qkv/rule": "error" },
  };
  const found = new Linter({ cwd: folder }).verify(text, [config] as never, { filename: join(source, file) });
  return found.map(({ message }) => message);
}

test("an import of an undeclared package is an error, with a fix", () => {
  const refused = ['import { f } from "@qkv/attention";', 'export { f } from "@qkv/attention/catalogue";'];
  for (const code of [...refused, 'const f = await import("@qkv/tensor");']) {
    expect(messages(arrows, "arrows", { "a.ts": code })).toEqual([
      expect.stringMatching(
        /^@qkv\/here does not import @qkv\/\w+: packages import downwards only.*Take the value/,
      ),
    ]);
  }
  for (const code of [
    'import { f } from "@qkv/core";',
    'import { f } from "@qkv/here/b";',
    'import "node:fs";',
  ]) {
    expect(
      messages(arrows, "arrows", { "a.ts": code }),
      `scripts/lint/arrows.mjs refuses \`${code}\`, of a package that is declared or of Node`,
    ).toEqual([]);
  }
  expect(
    messages(arrows, "arrows", { "a.test.ts": 'import { f } from "@qkv/tensor";' }),
    "a test may import what devDependencies list: scripts/lint/arrows.mjs refuses it",
  ).toEqual([]);
});

test("circular imports between files are an error, with the cycle", () => {
  const files = {
    "a.ts": 'import { b } from "./b.js"; export const a = b;',
    "b.ts": 'import { c } from "./c.js";\nexport const b = c;',
    "c.ts": 'export { a } from "./a.js";',
  };
  expect(messages(cycles, "round", files)).toEqual([
    expect.stringContaining("Circular import: a.ts → b.ts → c.ts → a.ts. Move what both need"),
  ]);
  const straight = {
    "a.ts": files["a.ts"],
    "b.ts": '/** import { a } from "./a.js"; */\nexport const b = 1;',
  };
  expect(
    messages(cycles, "straight", straight),
    "an import in a comment is none: scripts/lint/cycles.mjs takes it for one",
  ).toEqual([]);
});

test("circular imports between folders are an error, with the file that imports back", () => {
  const files = {
    "masks/a.ts": 'import { b } from "../heads/b.js";',
    "heads/b.ts": "export const b = 1;",
    "heads/c.ts": 'import { d } from "../masks/d.js";',
    "masks/d.ts": 'import { e } from "../e.js"; export const d = e;',
    "e.ts": "export const e = 1;",
  };
  expect(messages(cycles, "folders", files)).toEqual([
    expect.stringContaining("masks/ imports heads/, and heads/c.ts imports masks/. Move what both need"),
  ]);
  expect(
    messages(cycles, "below", { ...files, "heads/c.ts": 'import { e } from "../e.js";' }),
    "folders import one way here: scripts/lint/cycles.mjs sees a circle",
  ).toEqual([]);
});

test("private terms in declared names are errors, with the field's term", () => {
  const messages = (text: string) =>
    problemsIn("a.ts", text).map(({ line, message }) => `${line}: ${message}`);
  expect(messages("const x = 1;\nexport function turnByPosition(crew: number) { return crew; }")).toEqual([
    "2: `turnByPosition`: the field says rotate, transpose, interleave, swapBytes or message",
    "2: `crew`: the field says workers",
  ]);
  // Allowed: uses of a name, prose, parts of other words, and terms.
  for (const text of [
    "turnByPosition(1);",
    "// it is the reader's turn",
    "const returned = 1;",
    "const { turn: x } = y;",
  ]) {
    expect(messages(text), `\`${text}\` declares no such name: scripts/lint/words.mjs refuses it`).toEqual(
      [],
    );
  }
  expect(
    messages("function take() {} const keepFirst = 1;"),
    "`take` and `keepFirst` are terms: the table of scripts/lint/words.mjs refuses them",
  ).toEqual([]);
});

test("a doc line begins with a verb or a noun", () => {
  const openings = (text: string) => problemsIn("a.ts", text).map(({ line }) => line);
  const doc =
    "/**\n * Whether it is so.\n *\n * @param x - How many.\n * @returns The number.\n */\nfunction f(x) {}";
  expect(openings(doc)).toEqual([1, 4]);
  expect(openings("/** Tells if it is so. What follows is free. */\nconst f = (x) => x;")).toEqual([]);
});

test("a name that two packages export needs a reason in the list", () => {
  const unlisted = sharedNames().filter(({ name }) => !Object.hasOwn(twoMeanings, name));
  expect(unlisted, "give each meaning a name, or list it in `twoMeanings` of scripts/lint/words.mjs").toEqual(
    [],
  );
});

test("prettier formats decorated functions of AssemblyScript, and comments that name a decorator", async () => {
  const code = "// @inline is a hint\n@inline\nexport function zero(): v128 { return i32x4.splat(0) }\n";
  const formatted =
    "// @inline is a hint\n@inline\nexport function zero(): v128 {\n  return i32x4.splat(0);\n}\n";
  const options = { parser: "assemblyscript", plugins: [assemblyscript] };
  expect(await format(code, options)).toBe(formatted);
  expect(await format(formatted, options)).toBe(formatted);
});
