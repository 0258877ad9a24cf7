// The patterns of `npm run nightly mutants` match the sources, so that a rename that breaks a pattern fails here. The
// mutants run in the nightly checks.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { mutate } from "../scripts/mutants/mutate.mjs";

type Bug = { what: string; file: string; in?: string; find: string; replace: string; near?: string[] };
type Bugs = { mutants: Bug[]; near?: string[]; build?: string[] };

const root = new URL("../", import.meta.url);
const lists = readdirSync(new URL("packages/", root)).filter((name) =>
  existsSync(new URL(`scripts/mutants/${name}.mjs`, root)),
);
const bugsOf = async (name: string) =>
  (await import(new URL(`scripts/mutants/${name}.mjs`, root).href)) as Bugs;

/** Number of syntax errors in a source. In AssemblyScript, errors about decorators do not count. */
const problemsIn = (source: string) =>
  ts.transpileModule(source, { reportDiagnostics: true }).diagnostics!.length;

describe.each(lists)("bugs of %s", (name) => {
  test("each pattern matches once, and the mutant parses", async () => {
    const { mutants, near = [] } = await bugsOf(name);
    const wrong = mutants.flatMap((bug) => {
      try {
        const source = readFileSync(new URL(`packages/${name}/${bug.file}`, root), "utf8");
        const changed = mutate(source, bug);
        return problemsIn(changed) === problemsIn(source) ? [] : [`"${bug.what}" does not parse`];
      } catch (error) {
        return [(error as Error).message];
      }
    });
    expect(wrong).toEqual([]);
    const files = [...near, ...mutants.flatMap((bug) => bug.near ?? [])];
    expect(files.filter((file) => !existsSync(new URL(`packages/${name}/${file}`, root)))).toEqual([]);
  });

  test("each has a unique name", async () => {
    const names = (await bugsOf(name)).mutants.map(({ what }) => what);
    expect(names.filter((what, i) => names.indexOf(what) < i)).toEqual([]);
  });
});

const put = (source: string, bug: Partial<Bug>) =>
  mutate(source, { what: "a bug", file: "f.ts", find: "", replace: "", ...bug });

test("patterns ignore format, comments and placeholders' names", () => {
  const bug = { find: "$a < $b && $a >= 0", replace: "$a <= $b && $a >= 0" };
  expect(put("if (i < n && i >= 0) f();", bug)).toBe("if (i <= n && i >= 0) f();");
  expect(put("if (at /* here */\n  < end && at >= 0) f();", bug)).toBe("if (at <= end && at >= 0) f();");
});

test("a repeated placeholder matches the same node", () => {
  expect(() => put("if (i < n && j >= 0) f();", { find: "$a < $b && $a >= 0" })).toThrow(/matches 0 places/);
});

test("a pattern is one expression, consecutive statements, or properties", () => {
  expect(put("a(); x += 1; y = x; b();", { find: "$x += 1; $y = $x;", replace: "$y = $x; $x += 1;" })).toBe(
    "a(); y = x; x += 1; b();",
  );
  expect(put("f({ before: size - 1, after: 0 })", { find: "before: $n - 1", replace: "before: $n" })).toBe(
    "f({ before: size, after: 0 })",
  );
  expect(put("f({ a: 1 }, [1])", { find: "({ a: $n })", replace: "{ a: -$n }" })).toBe("f({ a: -1 }, [1])");
});

test("an inserted expression is parenthesized where precedence requires it", () => {
  expect(put("f(a + b, c)", { find: "f($x, $y)", replace: "f($y * $x)" })).toBe("f(c * (a + b))");
});

test("`in` limits the search to a function, a variable or a property", () => {
  const source = "function f() { return a < b; } const g = () => a < b; const o = { h: () => a < b };";
  const bug = { find: "$a < $b", replace: "$b < $a" };
  expect(put(source, { ...bug, in: "f" })).toContain("function f() { return b < a; } const g = () => a < b;");
  expect(put(source, { ...bug, in: "g" })).toContain("const g = () => b < a;");
  expect(put(source, { ...bug, in: "h" })).toContain("h: () => b < a");
});

test("code in strings and template literals is searched", () => {
  const silu = { find: "$a / (1 + $b)", replace: "$a / (1 - $b)" };
  expect(put(`f("if (x)\\n a / (1 + e)");`, silu)).toBe(`f("if (x)\\n a / (1 - e)");`);
  const source = "const body = `for (let d = 0; d < ${size}; d++) { sum += q[d] * k[at + d * ${step}]; }`;";
  expect(put(source, { find: "$at + $d * $step", replace: "$at + $d" })).toBe(
    "const body = `for (let d = 0; d < ${size}; d++) { sum += q[d] * k[at + d]; }`;",
  );
  expect(put(source, { find: "$d < $size", replace: "$d <= $size" })).toContain("d <= ${size};");
});

test.each([
  [
    { find: "$a < $b" },
    /"a bug" \(f\.ts\): its pattern matches 2 places, expected 1: \$a < \$b\.\nFix: say more/,
  ],
  [
    { find: "$a > $b" },
    /"a bug" \(f\.ts\): its pattern matches 0 places.*\nFix: follow what the source says/,
  ],
  [{ find: "$a <" }, /"a bug" \(f\.ts\): its pattern does not parse/],
  [{ find: "$a < $b", in: "f" }, /"a bug" \(f\.ts\): nothing is named f/],
  [{ find: "$a < b", replace: "$c" }, /"a bug" \(f\.ts\): \$c is not in its pattern/],
  [{ find: "$a < b", replace: "$a < b" }, /"a bug" \(f\.ts\): it changes nothing/],
])("%j is refused", (bug, message) => {
  expect(() => put("x < b || x < c;", bug)).toThrow(message);
});
