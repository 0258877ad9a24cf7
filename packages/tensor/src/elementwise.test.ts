import fc from "fast-check";
import { expect, test } from "vitest";
import { checkGradient } from "./check-gradient.js";
import { full, tensor, zeros } from "./create.js";
import type { Operand } from "./elementwise.js";
import { grad } from "./grad.js";
import { abs } from "./ops/abs.js";
import { add } from "./ops/add.js";
import { atan2 } from "./ops/atan2.js";
import { cast } from "./ops/cast.js";
import { ceil } from "./ops/ceil.js";
import { clamp } from "./ops/clamp.js";
import { cos, sin } from "./ops/sin-and-cos.js";
import { div } from "./ops/div.js";
import { equal } from "./ops/equal.js";
import { erf } from "./ops/erf.js";
import { exp } from "./ops/exp.js";
import { expm1 } from "./ops/expm1.js";
import { floor } from "./ops/floor.js";
import { greaterEqual } from "./ops/greater-equal.js";
import { greater } from "./ops/greater.js";
import { isFinite } from "./ops/is-finite.js";
import { isNaN } from "./ops/is-nan.js";
import { lessEqual } from "./ops/less-equal.js";
import { less } from "./ops/less.js";
import { log } from "./ops/log.js";
import { log1p } from "./ops/log1p.js";
import { log2 } from "./ops/log2.js";
import { logicalAnd } from "./ops/logical-and.js";
import { logicalNot } from "./ops/logical-not.js";
import { logicalOr } from "./ops/logical-or.js";
import { maximum } from "./ops/maximum.js";
import { minimum } from "./ops/minimum.js";
import { mul } from "./ops/mul.js";
import { neg } from "./ops/neg.js";
import { notEqual } from "./ops/not-equal.js";
import { pow } from "./ops/pow.js";
import { reciprocal } from "./ops/reciprocal.js";
import { relu } from "./ops/relu.js";
import { round } from "./ops/round.js";
import { rsqrt } from "./ops/rsqrt.js";
import { sigmoid } from "./ops/sigmoid.js";
import { sign } from "./ops/sign.js";
import { silu } from "./ops/silu.js";
import { softmax } from "./ops/softmax.js";
import { softplus } from "./ops/softplus.js";
import { sqrt } from "./ops/sqrt.js";
import { square } from "./ops/square.js";
import { sub } from "./ops/sub.js";
import { sum } from "./ops/sum.js";
import { tan } from "./ops/tan.js";
import { tanh } from "./ops/tanh.js";
import { trunc } from "./ops/trunc.js";
import { where } from "./ops/where.js";
import { randn, uniform } from "./random/randn.js";
import type { Tensor } from "./tensor.js";
import type { DType } from "@qkv/core";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });
const positive = (shape: number[], seed = 1) => uniform(shape, { seed, low: 0.5, high: 2, dtype: "float64" });
const weigh = (y: Tensor) => sum(mul(y, random([...y.shape], 99)));
const float64 = (values: number[]) => tensor(values, { dtype: "float64" });
const special = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  1e-20,
  800,
  -800,
  2 ** 53 - 1,
  Infinity,
  -Infinity,
  NaN,
];

test.each<[string, (x: Tensor) => Tensor, (x: number) => number]>([
  ["abs", abs, Math.abs],
  ["sign", sign, Math.sign],
  ["floor", floor, Math.floor],
  ["ceil", ceil, Math.ceil],
  ["trunc", trunc, Math.trunc],
  ["atan2 of 1", (x) => atan2(x, 1), Math.atan],
  ["reciprocal", reciprocal, (x) => 1 / x],
  ["rsqrt", rsqrt, (x) => 1 / Math.sqrt(x)],
  ["square", square, (x) => x * x],
  ["sin", sin, Math.sin],
  ["cos", cos, Math.cos],
  ["log1p", log1p, Math.log1p],
  ["expm1", expm1, Math.expm1],
  ["relu", relu, (x) => (x > 0 || Number.isNaN(x) ? x : 0)],
])("property: %s of each number, whatever lies around it", (_, op, of) => {
  const numbers = fc.array(fc.oneof(fc.double(), fc.constantFrom(...special)), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(numbers, (values) => {
      expect([...op(float64(values)).data]).toEqual(values.map(of));
    }),
  );
});

test("property: isNaN and isFinite agree with those of Number", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.double(), fc.constantFrom(...special)), { minLength: 1 }), (values) => {
      expect(isNaN(float64(values)).toNested()).toEqual(values.map(Number.isNaN));
      expect(isFinite(float64(values)).toNested()).toEqual(values.map(Number.isFinite));
    }),
  );
  expect(isFinite(tensor([1, -2], { dtype: "int32" })).toNested()).toEqual([true, true]);
});

test("log2 and tan have an error of one or two roundings", () => {
  const values = [0.001, 0.3, 1, 2, 8, 1e6];
  log2(float64(values)).data.forEach((y, i) => expect(y).toBeCloseTo(Math.log2(values[i]!), 13));
  tan(float64(values)).data.forEach((y, i) => expect(y).toBeCloseTo(Math.tan(values[i]!), 13));
  expect(log2(tensor([0, -1, Infinity])).toNested()).toEqual([-Infinity, NaN, Infinity]);
  expect(() => tan(tensor([1], { dtype: "int32" }))).toThrow(/^tan: .*expected float32 or float64/);
});

test("atan2 returns the angle in the right quadrant, also for signed zeros", () => {
  const [a, b] = [float64([1, 1, -1, -1, 0, -0, 0, -0]), float64([1, -1, -1, 1, 0, 0, -0, -0])];
  const quarter = Math.PI / 4;
  const expected = [1, 3, -3, -1, 0, -0, 4, -4].map((n) => n * quarter);
  expect([...atan2(a, b).data]).toEqual(expected);
  expect(() => atan2(tensor([1], { dtype: "int32" }), 1)).toThrow(/^atan2: .*expected float32 or float64/);
});

test("round rounds to the nearest integer, and ties to even", () => {
  const cases: [number, number][] = [
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [3.5, 4],
    [-0.5, -0],
    [-1.5, -2],
    [-2.5, -2],
    [0.49999999999999994, 0],
    [2.4999999, 2],
    [2.5000001, 3],
    [-0.2, -0],
    [2 ** 52 + 1, 2 ** 52 + 1],
    [Infinity, Infinity],
    [-Infinity, -Infinity],
    [NaN, NaN],
  ];
  expect([...round(float64(cases.map(([x]) => x))).data]).toEqual(cases.map(([, y]) => y));
});

test("softplus does not overflow and is accurate for small results", () => {
  const { data } = softplus(float64([0, 1000, -50, -800, Infinity, -Infinity, NaN]));
  expect(data[0]).toBeCloseTo(Math.LN2, 15);
  expect([...data.slice(1)]).toEqual([1000, Math.exp(-50), 0, Infinity, 0, NaN]);
});

test("erf is computed in float64, and rounded once to float32", () => {
  const x = [0.25, 1, -3];
  const exact = [...erf(float64(x)).data];
  expect(exact[1]).toBeCloseTo(0.8427007929497149, 15);
  expect([...erf(tensor(x)).data]).toEqual(exact.map(Math.fround));
});

test("pow returns what NumPy returns where JavaScript differs from it, and else what JavaScript returns", () => {
  const bases = [1, 1, -1, -1, NaN, -8, 0, 0, 2, -2, Infinity];
  const exponents = [NaN, Infinity, -Infinity, NaN, 0, 1 / 3, 0, -1, 0.5, 3, -1];
  const expected = [1, 1, 1, NaN, 1, NaN, 1, Infinity, Math.SQRT2, -8, 0];
  expect([...pow(float64(bases), float64(exponents)).data]).toEqual(expected);
});

test.each<[string, (x: Tensor) => Tensor, Tensor]>([
  ["abs", abs, random([2, 3])],
  ["reciprocal", reciprocal, positive([2, 3])],
  ["rsqrt", rsqrt, positive([2, 3])],
  ["square", square, random([2, 3])],
  ["sin", sin, random([2, 3])],
  ["cos", cos, random([2, 3])],
  ["erf", erf, random([2, 3])],
  ["relu", relu, random([2, 3])],
  ["log2", log2, positive([2, 3])],
  ["tan", tan, random([2, 3])],
  ["atan2, both", (x) => atan2(x, random([4, 1, 3], 2)), random([2, 3])],
  ["atan2, the second", (x) => atan2(random([4, 1, 3], 2), x), random([2, 3])],
  ["softplus", softplus, random([2, 3])],
  ["log1p", log1p, positive([2, 3])],
  ["expm1", expm1, random([2, 3])],
  ["pow, base", (x) => pow(x, random([4, 1, 3], 2)), positive([2, 3])],
  ["pow, exponent", (x) => pow(positive([4, 1, 3], 2), x), random([2, 3])],
  ["pow, both", (x) => pow(x, x), positive([2, 3])],
  ["a square by pow, of negative numbers too", (x) => pow(x, 2), random([2, 3])],
  ["maximum, broadcast", (x) => maximum(x, random([4, 1, 3], 2)), random([2, 3])],
  ["minimum, broadcast", (x) => minimum(random([4, 1, 3], 2), x), random([2, 3])],
  ["clamp", (x) => clamp(x, { min: -0.5, max: 0.7 }), random([2, 3])],
  ["where, one side", (x) => where(greater(random([4, 2, 1], 2), 0), x, 0), random([2, 3])],
  ["where, other side", (x) => where(greater(random([4, 2, 1], 2), 0), 1, x), random([2, 3])],
  ["where, both sides", (x) => where(greater(random([2, 3], 2), 0), x, mul(x, x)), random([3])],
])("the gradient of %s equals central differences, and so does the second", (_, f, x) => {
  expect(() => checkGradient((z) => weigh(f(z)), x)).not.toThrow();
  const slope = (z: Tensor) => weigh(grad((y: Tensor) => weigh(f(y)))(z));
  expect(() => checkGradient(slope, x, { tolerance: 1e-5 })).not.toThrow();
});

test("rounding ops and comparisons have a gradient of zeros", () => {
  const x = random([4]);
  for (const step of [sign, floor, ceil, round, trunc]) {
    expect(grad((z: Tensor) => sum(add(step(z), z)))(x).toNested()).toEqual([1, 1, 1, 1]);
  }
  const mask = (z: Tensor) => cast(logicalAnd(logicalNot(less(z, 0)), notEqual(z, 1)), "float64");
  expect(grad((z: Tensor) => sum(mul(mask(z), z)))(x).toNested()).toEqual(mask(x).toNested());
});

test("gradients at points without a derivative equal those of PyTorch", () => {
  const at = (f: (x: Tensor) => Tensor, x: number[]) => grad((z: Tensor) => sum(f(z)))(tensor(x)).toNested();
  expect(at((x) => maximum(x, 0), [-1, 0, 1])).toEqual([0, 0.5, 1]);
  expect(at((x) => minimum(x, 0), [-1, 0, 1])).toEqual([1, 0.5, 0]);
  expect(at((x) => clamp(x, { min: 0, max: 1 }), [-1, 0, 1, 2])).toEqual([0, 1, 1, 0]);
  expect(at(relu, [-1, 0, 1])).toEqual([0, 0, 1]);
  expect(at(abs, [-1, 0, 1])).toEqual([-1, 0, 1]);
  expect(at((x) => pow(x, 0), [0, 2])).toEqual([0, 0]);
  expect(at((x) => pow(0, x), [0, 1, 2, -1])).toEqual([0, 0, 0, -Infinity]);
  // NaN in the operand that is not selected does not reach the gradient of the other one.
  expect(at((x) => where(equal(x, x), x, 0), [NaN, 1])).toEqual([0, 1]);
});

const pairs = fc.array(fc.tuple(fc.constantFrom(...special, 3, 7), fc.constantFrom(...special, 3, 7)), {
  minLength: 1,
  maxLength: 12,
});
test.each<[string, (a: Operand, b: Operand) => Tensor, (a: number, b: number) => boolean]>([
  ["equal", equal, (a, b) => a === b],
  ["notEqual", notEqual, (a, b) => a !== b],
  ["less", less, (a, b) => a < b],
  ["lessEqual", lessEqual, (a, b) => a <= b],
  ["greater", greater, (a, b) => a > b],
  ["greaterEqual", greaterEqual, (a, b) => a >= b],
])("property: %s compares as JavaScript does, NaN included", (_, op, of) => {
  fc.assert(
    fc.property(pairs, (list) => {
      const y = op(float64(list.map(([a]) => a)), float64(list.map(([, b]) => b)));
      expect(y.dtype).toBe("bool");
      expect(y.toNested()).toEqual(list.map(([a, b]) => of(a, b)));
    }),
  );
  expect(() => op(zeros([1]), zeros([1], { dtype: "int32" }))).toThrow(/`b` is "int32", expected float32/);
});

test("logical ops accept bools and numbers; numbers other than 0 are true", () => {
  const [a, b] = [tensor([true, true, false, false]), tensor([true, false, true, false])];
  expect(logicalAnd(a, b).toNested()).toEqual([true, false, false, false]);
  expect(logicalOr(a, b).toNested()).toEqual([true, true, true, false]);
  expect(logicalNot(a).toNested()).toEqual([false, false, true, true]);
  expect(logicalNot(tensor([0, -0, 2, NaN])).toNested()).toEqual([true, true, false, false]);
  expect(logicalAnd(tensor([2, NaN, 0]), tensor([3, 1, 1])).toNested()).toEqual([true, true, false]);
});

test("where broadcasts all three operands, accepts numbers, and copies 16-bit floats", () => {
  const condition = tensor([[true], [false]]);
  expect(where(condition, tensor([1, 2]), tensor([[10], [20]])).toNested()).toEqual([
    [1, 2],
    [20, 20],
  ]);
  expect(where(condition, 0, -Infinity).toNested()).toEqual([[0], [-Infinity]]);
  const half = tensor([[1.5], [2.5]], { dtype: "float16" });
  expect(where(condition, half, cast(tensor(0.25), "float16")).toNested()).toEqual([[1.5], [0.25]]);
  expect(() => where(condition, half, 0.25)).toThrow(
    /`b` is 0.25, expected a tensor, or a number that float16/,
  );
  expect(() => where(tensor([1]), 0, 1)).toThrow(
    /where: `condition` is "float32", expected bool.\nFix: compare/,
  );
  expect(() => where(condition, zeros([1]), zeros([1], { dtype: "int32" }))).toThrow(/`b` is "int32"/);
  expect(() => where(condition, zeros([3]), zeros([4]))).toThrow(/where: `b` has shape \[4\]/);
});

test("clamp keeps NaN, accepts a single limit, and refuses invalid limits", () => {
  expect(clamp(tensor([NaN, -5, 5]), { min: 0 }).toNested()).toEqual([NaN, 0, 5]);
  expect(clamp(tensor([-5, 5], { dtype: "int32" }), { max: 2 }).toNested()).toEqual([-5, 2]);
  expect(() => clamp(zeros([1]), { min: 1, max: 0 })).toThrow(
    /`limits` is "from 1 to 0", expected min at most max/,
  );
  expect(() => clamp(zeros([1]), { min: NaN })).toThrow(/from NaN to Infinity/);
  expect(() => clamp(zeros([1], { dtype: "int8" }), { min: 0.5 })).toThrow(/expected integers/);
});

test("property: integers wrap around as in typed arrays", () => {
  const types = fc.constantFrom<DType>("int32", "uint8", "int8");
  fc.assert(
    fc.property(types, fc.integer(), fc.integer(), (dtype, a, b) => {
      const wrap = (exact: bigint) =>
        dtype === "int32"
          ? Number(BigInt.asIntN(32, exact))
          : dtype === "int8"
            ? Number(BigInt.asIntN(8, exact))
            : Number(BigInt.asUintN(8, exact));
      const [x, y] = [tensor([wrap(BigInt(a))], { dtype }), tensor([wrap(BigInt(b))], { dtype })];
      const [m, n] = [BigInt(x.data[0]!), BigInt(y.data[0]!)];
      expect(add(x, y).toNested()).toEqual([wrap(m + n)]);
      expect(sub(x, y).toNested()).toEqual([wrap(m - n)]);
      expect(mul(x, y).toNested()).toEqual([wrap(m * n)]);
      expect(square(x).toNested()).toEqual([wrap(m * m)]);
      expect(neg(x).toNested()).toEqual([wrap(-m)]);
      expect(maximum(x, y).toNested()).toEqual([Number(m > n ? m : n)]);
    }),
  );
});

const binary: [string, (a: Operand, b: Operand) => Tensor, (a: number, b: number) => number][] = [
  ["add", add, (a, b) => a + b],
  ["sub", sub, (a, b) => a - b],
  ["mul", mul, (a, b) => a * b],
  ["div", div, (a, b) => a / b],
  ["maximum", maximum, Math.max],
  ["minimum", minimum, Math.min],
  ["pow", pow, (a, b) => a ** b],
  ["less", less, (a, b) => Number(a < b)],
];
// Each axis: its length, and whether a and b have it whole, as 1, or (from the left on) not at all.
const axes = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.boolean(), fc.boolean()), { maxLength: 4 });
test.each(binary)("property: %s with broadcasting equals a loop over indices", (_, op, of) => {
  fc.assert(
    fc.property(axes, fc.nat(4), fc.nat(4), fc.integer(), (list, dropA, dropB, seed) => {
      const shapeA = list.map(([length, whole]) => (whole ? length : 1)).slice(dropA);
      const shapeB = list.map(([length, , whole]) => (whole ? length : 1)).slice(dropB);
      const [a, b] = [random(shapeA, seed), random(shapeB, seed + 1)];
      const y = op(a, b);
      const rank = Math.max(shapeA.length, shapeB.length);
      const lengthAt = (shape: number[], axis: number) => shape[axis - rank + shape.length] ?? 1;
      const shape = Array.from({ length: rank }, (_, axis) =>
        lengthAt(shapeA, axis) === 1 ? lengthAt(shapeB, axis) : lengthAt(shapeA, axis),
      );
      const read = (x: Tensor, place: number[]): number => {
        let nested = x.toNested();
        place.slice(rank - x.shape.length).forEach((index, axis) => {
          nested = (nested as number[])[x.shape[axis] === 1 ? 0 : index]!;
        });
        return nested as number;
      };
      const expected: number[] = [];
      const visit = (place: number[]): void => {
        if (place.length === rank) expected.push(of(read(a, place), read(b, place)));
        else for (let i = 0; i < shape[place.length]!; i++) visit([...place, i]);
      };
      visit([]);
      expect(y.shape).toEqual(shape);
      expect([...y.data]).toEqual(expected);
    }),
  );
});

test("invalid arguments are refused, with the fix", () => {
  expect(() => add(zeros([2]), zeros([3]))).toThrow(
    "add: `b` has shape [3], expected one that broadcasts with [2].\nFix: each pair of lengths, from the right",
  );
  expect(() => add(zeros([2]), zeros([2], { dtype: "int32" }))).toThrow(
    'add: `b` is "int32", expected float32 like the other operand.\nFix: use `cast(x, dtype)` on one operand.',
  );
  expect(() => maximum(tensor([1], { dtype: "uint8" }), 256)).toThrow(
    "maximum: `b` is 256, expected a tensor, or a number that uint8 can hold.",
  );
  expect(() => sub(1.5, tensor([1], { dtype: "int32" }))).toThrow(/sub: `a` is 1.5/);
  expect(() => add(1 as unknown as Tensor, 2)).toThrow(
    /add: `a` is 1, expected a tensor.\nFix: make one with/,
  );
  const half = full([1], 1, { dtype: "float16" });
  expect(() => add(half, half)).toThrow(/`dtype` is "float16", expected numbers to compute/);
});

test.each([reciprocal, rsqrt, sin, cos, erf, softplus, log1p, expm1, (x: Tensor) => pow(x, 2)])(
  "integer tensors are refused by ops with fractional results (%#)",
  (op) => {
    expect(() => op(tensor([1], { dtype: "int32" }))).toThrow(
      /`dtype` is "int32", expected float32 or float64.\nFix: /,
    );
  },
);

test("arithmetic on bools, and fractional operands of integer tensors, are refused with the fix", () => {
  const [truths, counts] = [tensor([true, false]), tensor([1, 2], { dtype: "int32" })];
  expect(() => add(truths, truths)).toThrow(
    /add: `a` is "bool", expected numbers\.\nFix: `cast\(x, "int32"\)`/,
  );
  for (const f of [exp, log, sqrt, tanh, sigmoid, silu, softmax]) {
    expect(() => f(counts), f.name).toThrow(
      `${f.name}: \`dtype\` is "int32", expected float32 or float64.\nFix: compute in float32`,
    );
  }
});
