import fc from "fast-check";
import { expect, test } from "vitest";
import { checkGradient } from "../check-gradient.js";
import { tensor, zeros } from "../create.js";
import { grad } from "../grad.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";
import { elu } from "./elu.js";
import { glu } from "./glu.js";
import { leakyRelu } from "./leaky-relu.js";
import { logSigmoid } from "./log-sigmoid.js";
import { mish } from "./mish.js";
import { mul } from "./mul.js";
import { sum } from "./sum.js";

const float64 = (values: number[]) => tensor(values, { dtype: "float64" });
const x = randn([2, 6], { seed: 1, dtype: "float64" });
const weigh = (y: Tensor) => sum(mul(y, randn([...y.shape], { seed: 99, dtype: "float64" })));

test.each<[string, (x: Tensor) => Tensor, (x: number) => number]>([
  ["leakyRelu", (x) => leakyRelu(x, { negativeSlope: 0.2 }), (x) => (x > 0 ? x : 0.2 * x)],
  ["elu", (x) => elu(x, { alpha: 0.7 }), (x) => (x > 0 ? x : 0.7 * Math.expm1(x))],
  ["mish", mish, (x) => x * Math.tanh(Math.log1p(Math.exp(x)))],
  ["logSigmoid", logSigmoid, (x) => -Math.log1p(Math.exp(-x))],
])("property: %s equals its formula, elementwise", (_, op, of) => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: 1 }), (values) => {
      op(float64(values)).data.forEach((y, i) => expect(y).toBeCloseTo(of(values[i]!), 12));
    }),
  );
});

test("glu gates the first half of an axis by the second", () => {
  const rows = float64([1, 3, 4, 0, -Infinity, Infinity]);
  expect([...glu(rows).data]).toEqual([0.5, 0, 4]);
  const columns = tensor([
    [8, 6],
    [0, Infinity],
  ]);
  expect(glu(columns, { axis: 0 }).toNested()).toEqual([[4, 6]]);
});

test.each<[string, (x: Tensor) => Tensor]>([
  ["leakyRelu", leakyRelu],
  ["elu", elu],
  ["mish", mish],
  ["logSigmoid", logSigmoid],
  ["glu", glu],
  ["glu of another axis", (x) => glu(x, { axis: 0 })],
])("gradients of %s, first and second, equal central differences", (_, f) => {
  expect(() => checkGradient((z) => weigh(f(z)), x)).not.toThrow();
  const slope = (z: Tensor) => weigh(grad((w: Tensor) => weigh(f(w)))(z));
  expect(() => checkGradient(slope, x, { tolerance: 1e-5 })).not.toThrow();
});

test("gradients at 0 and at large magnitudes equal those of PyTorch", () => {
  const at = (f: (x: Tensor) => Tensor, values: number[]) =>
    grad((z: Tensor) => sum(f(z)))(tensor(values)).toNested();
  expect(at(leakyRelu, [0, 1e30])).toEqual([Math.fround(0.01), 1]);
  expect(at((z) => elu(z, { alpha: 0.5 }), [0, 1e4, -1e4])).toEqual([0.5, 1, 0]);
  expect(at(mish, [1e4, -1e4])).toEqual([1, 0]);
  expect(at(logSigmoid, [-1e4, 1e4])).toEqual([1, 0]);
});

test("options and tensors that do not fit are refused, with the fix", () => {
  expect(() => glu(zeros([3]))).toThrow(/`x` has shape \[3\], expected an even length on axis 0.\nFix: give/);
  expect(() => elu(zeros([3], { dtype: "int32" }))).toThrow(/elu: .*expected float32 or float64/);
  expect(() => leakyRelu(zeros([3]), { slope: 1 } as never)).toThrow(/`slope` is 1/);
  expect(() => leakyRelu(zeros([3]), { negativeSlope: NaN })).toThrow(/`negativeSlope` is NaN/);
});
