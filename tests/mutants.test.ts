// The patterns of `npm run nightly mutants` match the sources, so that a rename that breaks a pattern fails here. The
// mutants run in the nightly checks.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { mutate, problemsIn } from "../scripts/mutants/mutate.mjs";
import { noticed, runsFor, tierTable } from "../scripts/mutants/tiers.mjs";

type Bug = { what: string; file: string; in?: string; find: string; replace: string; near?: string[] };
type Bugs = { mutants: Bug[]; near?: string[]; build?: string[] };

const root = new URL("../", import.meta.url);
const lists = readdirSync(new URL("packages/", root)).filter((name) =>
  existsSync(new URL(`scripts/mutants/${name}.mjs`, root)),
);
const bugsOf = async (name: string) =>
  (await import(new URL(`scripts/mutants/${name}.mjs`, root).href)) as Bugs;

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

describe("tiers", () => {
  // A fake package: `quick.test.ts` runs in both tiers, its property with more cases in the second.
  const fakes = [
    { name: "by a quick test", first: ["quick.test.ts"], failing: ["1 quick.test.ts"] },
    { name: "elsewhere", first: ["other.test.ts"], failing: ["1 src/"] },
    { name: "by a slow test", first: ["a.slow.test.ts"], failing: ["2 a.slow.test.ts"] },
    { name: "by the 11th case", first: ["quick.test.ts"], failing: ["2 quick.test.ts"] },
    { name: "by nothing", first: ["quick.test.ts"], failing: [] },
  ];
  const rest = ["src/", "b.slow.test.ts"];
  const meet = (upTo: 1 | 2) =>
    fakes.map(({ name, first, failing }) => {
      const runs: string[] = [];
      const { tier, elsewhere } = noticed(runsFor({ first, rest }, upTo), (files, tier) => {
        runs.push(`${tier} ${files.join(" ")}`);
        const failed = failing.some((run) => run === `${tier} ${files[0]}`) ? 1 : 0;
        return { failed, status: failed };
      });
      return { name, tier, elsewhere, runs };
    });

  test("a mutant meets the tests of the first tier, then those of both, up to the one that notices it", () => {
    expect(meet(2).map(({ tier, elsewhere, runs }) => ({ tier, elsewhere, runs }))).toEqual([
      { tier: 1, elsewhere: false, runs: ["1 quick.test.ts"] },
      { tier: 1, elsewhere: true, runs: ["1 other.test.ts", "1 src/"] },
      { tier: 2, elsewhere: false, runs: ["1 src/", "2 a.slow.test.ts"] },
      { tier: 2, elsewhere: false, runs: ["1 quick.test.ts", "1 src/", "2 quick.test.ts"] },
      {
        tier: undefined,
        elsewhere: false,
        runs: ["1 quick.test.ts", "1 src/", "2 quick.test.ts", "2 src/ b.slow.test.ts"],
      },
    ]);
  });

  test("with --tier 1 it meets no slow test", () => {
    expect(meet(1).map(({ tier }) => tier)).toEqual([1, 1, undefined, undefined, undefined]);
    expect(meet(1).flatMap(({ runs }) => runs.filter((run) => /^2|slow/.test(run)))).toEqual([]);
  });

  test("the table lists the tier of each mutant, and counts", () => {
    expect(tierTable(meet(2), 2)).toBe(
      `tier 1   by a quick test
tier 1   elsewhere
tier 2   by a slow test
tier 2   by the 11th case
no tier  by nothing

tier 1   2
tier 2   2
no tier  1`,
    );
    expect(tierTable(meet(1), 1)).toMatch(/\n\ntier 1 {3}2\nno tier {2}3$/);
  });

  test("--tier takes 1 or 2", () => {
    const script = fileURLToPath(new URL("scripts/mutants/run.mjs", root));
    const { status, stderr } = spawnSync(process.execPath, [script, "--tier", "3"], { encoding: "utf8" });
    expect(stderr).toBe(
      "mutants: --tier is 3, expected 1 or 2.\nFix: 1 runs the tests of npm test, 2 all.\n",
    );
    expect(status).toBe(1);
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
