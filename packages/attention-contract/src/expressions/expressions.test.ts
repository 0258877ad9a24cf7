import { randn, tensor } from "@qkv/tensor";
import { philox4x32, seedKey } from "@qkv/tensor/random";
import fc from "fast-check";
import { expect, expectTypeOf, test } from "vitest";
import "@qkv/test-support/allclose";
import { evaluator, isUniform } from "./evaluate.js";
import { dropoutMask, expression, Expr, lookup, type Operand, type ScoreIndices } from "./expression.js";

const row = (
  score: number[],
  more: Partial<{ key: number[]; batch: number; head: number; query: number }> = {},
) => ({
  score: Float64Array.from(score),
  key: more.key ?? score.map((_, i) => i),
  batch: more.batch ?? 0,
  head: more.head ?? 0,
  query: more.query ?? 0,
  length: score.length,
});
const run = (f: Parameters<typeof expression>[0], ...args: Parameters<typeof row>) => [
  ...evaluator(expression(f), args[0].length).forward(row(...args)),
];

test("golden: ALiBi, a window written with `where`, and a table looked up by head", () => {
  expect(run((s, at) => s.sub(at.query.sub(at.key).mul(0.5)), [1, 1, 1], { query: 2 })).toEqual([0, 0.5, 1]);
  expect(run((s, at) => at.query.sub(at.key).less(2).where(s, -1), [5, 6, 7], { query: 2 })).toEqual([
    -1, 6, 7,
  ]);
  const slopes = tensor([10, 20, 30]);
  expect(run((s, at) => s.mul(lookup(slopes, at.head)), [1, 2], { head: 1 })).toEqual([20, 40]);
  const grid = tensor([
    [1, 2],
    [3, 4],
  ]);
  expect(run((_, at) => lookup(grid, at.key, at.batch.add(9)), [0, 0, 0], { key: [-5, 1, 7] })).toEqual([
    2, 4, 4,
  ]);
});

test("a fractional index of a table is rounded down", () => {
  const table = tensor([10, 20, 30]);
  expect(run((score) => lookup(table, score), [0.9, 1, 1.5, 1.99])).toEqual([10, 20, 20, 20]);
});

test("golden: the counter of Philox for dropout is key, query, head, batch, and its key comes from the seed", () => {
  const place = { key: [3, 4, 5, 6], query: 9, head: 2, batch: 1 };
  const drawn = place.key.map((key) => philox4x32([key, 9, 2, 1], seedKey("keep", 7))[0]);
  const rate = 0.25;
  expect(run((score, at) => score.mul(dropoutMask(at, rate, 7)), [1, 1, 1, 1], place)).toEqual(
    drawn.map((word) => (word / 2 ** 32 < rate ? 0 : 1 / 0.75)),
  );
});

/** Symbolic functions, each with a plain one that must give the same values. */
const unary: [string, (x: Expr) => Expr, (x: number) => number][] = [
  ["neg", (x) => x.neg(), (x) => -x],
  ["abs", (x) => x.abs(), Math.abs],
  ["exp", (x) => x.exp(), Math.exp],
  ["log", (x) => x.abs().add(0.5).log(), (x) => Math.log(Math.abs(x) + 0.5)],
  ["tanh", (x) => x.tanh(), Math.tanh],
  ["sqrt", (x) => x.mul(x).add(1).sqrt(), (x) => Math.sqrt(x * x + 1)],
  ["floor", (x) => x.floor(), Math.floor],
  ["not", (x) => x.not(), (x) => Number(x === 0)],
];
const binary: [string, (a: Expr, b: Operand) => Expr, (a: number, b: number) => number][] = [
  ["add", (a, b) => a.add(b), (a, b) => a + b],
  ["sub", (a, b) => a.sub(b), (a, b) => a - b],
  ["mul", (a, b) => a.mul(b), (a, b) => a * b],
  ["div", (a, b) => a.div(b), (a, b) => a / b],
  ["min", (a, b) => a.min(b), Math.min],
  ["max", (a, b) => a.max(b), Math.max],
  ["pow", (a, b) => a.abs().add(1).pow(b), (a, b) => (Math.abs(a) + 1) ** b],
  ["less", (a, b) => a.less(b), (a, b) => Number(a < b)],
  ["lessEqual", (a, b) => a.lessEqual(b), (a, b) => Number(a <= b)],
  ["greater", (a, b) => a.greater(b), (a, b) => Number(a > b)],
  ["greaterEqual", (a, b) => a.greaterEqual(b), (a, b) => Number(a >= b)],
  ["equal", (a, b) => a.equal(b), (a, b) => Number(a === b)],
  ["and", (a, b) => a.floor().and(b), (a, b) => Number(Math.floor(a) !== 0 && b !== 0)],
  ["or", (a, b) => a.floor().or(b), (a, b) => Number(Math.floor(a) !== 0 || b !== 0)],
];
const number = fc.double({ min: -3, max: 3, noNaN: true });

test.each(unary)(
  "%s equals the plain function, and its derivative equals central differences",
  (_, symbolic, plain) => {
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, maxLength: 4 }), (xs) => checkRow(symbolic, plain, xs)),
    );
  },
);

test.each(binary)(
  "%s equals the plain function, and its derivatives equal central differences",
  (_, symbolic, plain) => {
    fc.assert(
      fc.property(
        fc.array(number, { minLength: 1, maxLength: 4 }),
        fc.double({ min: 0.5, max: 3, noNaN: true }),
        (xs, b) => {
          checkRow(
            (x) => symbolic(x, b),
            (x) => plain(x, b),
            xs,
          );
          checkRow(
            (x) => symbolic(new Expr({ kind: "number", value: b }), x.mul(1)),
            (x) => plain(b, x),
            xs.map((x) => Math.abs(x) + 0.1),
          );
        },
      ),
    );
  },
);

function checkRow(symbolic: (x: Expr) => Expr, plain: (x: number) => number, xs: number[]): void {
  const run = evaluator(
    expression((score) => symbolic(score)),
    xs.length,
  );
  expect([...run.forward(row(xs))]).toBeAllclose(xs.map(plain), { rtol: 0, atol: 5e-11, equalNan: true });
  const slopes = run.backward(row(xs), new Float64Array(xs.length).fill(2));
  xs.forEach((x, i) => {
    const h = 1e-5;
    const [left, middle, right] = [plain(x - h), plain(x), plain(x + h)];
    // At a jump or a kink between the two points, central differences do not approximate the derivative.
    if (Math.abs(right - 2 * middle + left) > 1e-7) return;
    expect(slopes[i]! / 2).toBeCloseTo((right - left) / (2 * h), 4);
  });
}

test("the gradient of a table is summed over all lookups of each element", () => {
  const table = randn([3], { seed: 1, dtype: "float64" });
  const recorded = expression((score, at) =>
    score.mul(lookup(table, at.key)).add(lookup(table, at.key.mul(0))),
  );
  expect(recorded.tables).toEqual([table]);
  const run = evaluator(recorded, 3);
  const scores = row([1, 2, 3]);
  run.forward(scores);
  run.backward(scores, Float64Array.from([1, 1, 1]));
  expect([...run.tableGradients[0]!]).toEqual([1 + 3, 2, 3]);
  run.forward(scores);
  run.backward(scores, Float64Array.from([1, 0, 0]));
  expect([...run.tableGradients[0]!]).toEqual([4 + 2, 2, 3]);
});

test("a rule is called once, and a step that is used twice is evaluated once", () => {
  let calls = 0;
  const recorded = expression((score) => {
    calls += 1;
    const bent = score.tanh();
    return bent.mul(bent);
  });
  expect(calls).toBe(1);
  expect(recorded.steps.map(({ step }) => step.kind)).toEqual(["symbol", "operation", "operation"]);
  expect(expression((_, at) => at.query.mul(2)).steps.every(isUniform)).toBe(true);
  expect(recorded.steps.some(isUniform)).toBe(false);
});

test("isUniform visits a step once, however often it is used", () => {
  const squared64Times = expression((_, { head }) => {
    let power = head.add(0);
    for (let i = 0; i < 64; i++) power = power.mul(power);
    return power;
  });
  expect(squared64Times.steps.every(isUniform)).toBe(true);
});

test("operators, functions of numbers, strings and indices are refused, and the error names the methods", () => {
  type Numbers = { readonly [name in keyof ScoreIndices]: number };
  const misuses: ((score: number, at: Numbers) => unknown)[] = [
    (s) => s - 1,
    (s) => -s,
    (s) => s * 2,
    (s) => s + 1,
    (s) => s > 0,
    (s, at) => (at.query >= at.key ? s : -Infinity),
    (s) => Math.abs(s),
    (s) => Math.max(s, 0),
    (s) => Number(s),
    (s) => Number.parseFloat(String(s)),
    // eslint-disable-next-line eqeqeq -- converts to a number
    (s) => s == 0,
    (s) => `${s}`,
    (_, at) => [1, 2][at.head],
    (s) => s.valueOf() / 2,
  ];
  for (const misuse of misuses) {
    expect(() => expression(misuse as never), String(misuse)).toThrow(
      /^expression: `f` is "(score|at\.\w+) as a JavaScript (number|text or index)", expected arithmetic by the methods of symbolic numbers.\nFix: write `score.sub\(1\)` for `-`, `at.query.greaterEqual\(at.key\)` for `>=`/,
    );
  }
});

test("steps that the result does not use, as after `? :` and `&&`, are refused, and the error names `where`", () => {
  const misuses: [unused: string, rule: (score: Expr, at: ScoreIndices) => unknown][] = [
    ["at.query.greaterEqual(at.key)", (s, at) => (at.query.greaterEqual(at.key) ? s : -Infinity)],
    ["at.query.less(at.key)", (s, at) => (!at.query.less(at.key) ? s : -Infinity)],
    ["at.query.less(at.key)", (s, at) => at.query.less(at.key) && s.mul(2)],
    ["at.query.sub(at.key).abs().less(3)", (s, at) => (at.query.sub(at.key).abs().less(3) ? s : s.sub(9))],
    ["score.greater(0)", (s) => (s.greater(0) ? s : s.mul(0.1))],
    [
      "score.mul(2)",
      (s) => {
        s.mul(2);
        return s;
      },
    ],
    ["at.key", (s, at) => ((at.query as Expr) === at.key ? s : -Infinity)],
    ["at.head", (s, at) => ([at.head].includes(s as never) ? s.mul(2) : s)],
    ["at.head", (s, at) => (at.head ? s : 0)],
  ];
  for (const [unused, rule] of misuses) {
    expect(() => expression(rule as never), String(rule)).toThrow(
      new RegExp(
        `^expression: \`f\` is ".* without ${unused.replaceAll(/[.()]/g, "\\$&")}", expected a result that uses every step.*\\nFix: .* write \`condition.where\\(a, b\\)\` for`,
      ),
    );
  }
  // Unused symbols alone are allowed: destructuring `at` reads all four.
  expect(expression((s, { query, key, head }) => (head ? s.add(query.sub(key)) : s)).steps).toHaveLength(5);
  // A nested rule has its own steps, and a rule that throws leaves no recording open.
  expect(
    expression((s) => s.add(expression((inner) => inner.mul(2)).steps.length)).steps.map(
      ({ step }) => step.kind,
    ),
  ).toEqual(["symbol", "number", "operation"]);
  const unfinished = (s: Expr) => {
    s.mul(2);
    throw new Error("mine");
  };
  expect(() => expression(unfinished)).toThrow("mine");
  expect(new Expr({ kind: "number", value: 1 }).add(1)).toBeInstanceOf(Expr);
});

test("a result that is not a symbolic number is refused, and so are NaN and tensors without lookup", () => {
  for (const result of ["x", undefined, null, true, NaN, tensor([1]), Promise.resolve(1)]) {
    expect(() => expression(() => result as never)).toThrow(
      /^expression: `f` is .*, expected symbolic numbers and numbers alone.\nFix: use the methods of the symbols/,
    );
  }
  expect(() => expression((s) => s.mul(NaN))).toThrow(/`f` is NaN/);
  expect(() => expression((s) => s.mul(tensor([1]) as never))).toThrow(
    /`lookup\(table, at.head\)` for tensors/,
  );
  expect(() => lookup(tensor([1, 2]), 0, 1)).toThrow(
    /`table` is a float32 tensor of shape \[2\], expected a tensor of floats with an axis for each of the 2/,
  );
});

// Checked by the compiler only; nothing is run.
test("types: operators between symbols do not compile", () => {
  const rule = (score: Expr, at: ScoreIndices) => {
    // @ts-expect-error query and key are symbols of different types
    void (at.query >= at.key);
    // @ts-expect-error and so are batch and head
    void (at.batch < at.head);
    // @ts-expect-error `===` between them is always false
    void (at.query === at.key);
    // @ts-expect-error a symbol is not a number
    void (score - 1);
    // @ts-expect-error a symbol cannot be compared with a number
    void (score > 0);
    // @ts-expect-error nor with the result of a method
    void (at.query >= 1);
    // @ts-expect-error functions of numbers do not accept symbols
    void Math.abs(score);
    // @ts-expect-error symbols cannot be array indices
    void { 0: 1 }[at.head];
    return score;
  };
  expectTypeOf(rule).parameter(1).toHaveProperty("query").toExtend<Expr>();
  expectTypeOf<ScoreIndices["query"]>().not.toExtend<ScoreIndices["key"]>();
});
