import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { checkGradient } from "./check-gradient.js";
import { tensor } from "./create.js";
import { grad, stopGradient, valueAndGrad, vjp } from "./grad.js";
import { withBackward } from "./op.js";
import { add } from "./ops/add.js";
import { broadcastTo } from "./ops/broadcast-to.js";
import { concat } from "./ops/concat.js";
import { div } from "./ops/div.js";
import { embedding } from "./ops/embedding.js";
import { exp } from "./ops/exp.js";
import { linear } from "./ops/linear.js";
import { log } from "./ops/log.js";
import { matmul } from "./ops/matmul.js";
import { mul } from "./ops/mul.js";
import { neg } from "./ops/neg.js";
import { pad, slice } from "./ops/slice-and-pad.js";
import { permute } from "./ops/permute.js";
import { reshape } from "./ops/reshape.js";
import { rmsNorm } from "./ops/rms-norm.js";
import { sigmoid } from "./ops/sigmoid.js";
import { silu } from "./ops/silu.js";
import { softmax } from "./ops/softmax.js";
import { sqrt } from "./ops/sqrt.js";
import { sub } from "./ops/sub.js";
import { sum } from "./ops/sum.js";
import { take } from "./ops/take.js";
import { tanh } from "./ops/tanh.js";
import { transpose } from "./ops/transpose.js";
import { randn, uniform } from "./random/randn.js";
import { remat } from "./remat.js";
import type { Tensor } from "./tensor.js";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });
const positive = (shape: number[], seed = 1) => uniform(shape, { seed, low: 0.5, high: 2, dtype: "float64" });
/** One number that depends on every element, each with another weight. */
const weigh = (y: Tensor) => sum(mul(y, random([...y.shape], 99)));
const ids = tensor([2, 0, 2], { dtype: "int32" });

test.each<[string, (x: Tensor) => Tensor, Tensor]>([
  ["neg", neg, random([2, 3])],
  ["exp", exp, random([2, 3])],
  ["log", log, positive([2, 3])],
  ["sqrt", sqrt, positive([2, 3])],
  ["tanh", tanh, random([2, 3])],
  ["sigmoid", sigmoid, random([2, 3])],
  ["silu", silu, random([2, 3])],
  ["add, broadcast", (x) => add(x, random([4, 1, 3], 2)), random([2, 3])],
  ["sub, both sides", (x) => sub(slice(x, 0, 0, 1), x), random([2, 3])],
  ["mul, broadcast", (x) => mul(random([4, 1, 3], 2), x), random([2, 3])],
  ["div, both sides", (x) => div(slice(x, 0, 0, 1), x), positive([2, 3])],
  ["softmax", (x) => softmax(x, { axis: 0 }), random([3, 4])],
  ["sum over an axis", (x) => sum(x, { axis: [0, -1], keepDims: true }), random([2, 3, 4])],
  ["matmul, left", (x) => matmul(x, random([4, 5], 2)), random([2, 3, 4])],
  ["matmul, right, batch broadcast", (x) => matmul(random([2, 3, 4], 2), x), random([1, 4, 5])],
  ["matmul with vectors", (x) => matmul(x, random([4], 2)), random([3, 4])],
  ["linear", (x) => linear(random([5, 4], 2), x, random([3], 3)), random([3, 4])],
  ["reshape of a permuted view", (x) => reshape(permute(x, [2, 0, 1]), [4, 6]), random([2, 3, 4])],
  ["transpose", transpose, random([2, 3])],
  ["slice", (x) => slice(x, 1, 1, 3), random([2, 4])],
  ["pad", (x) => pad(x, 0, 1, 2), random([2, 3])],
  ["concat", (x) => concat([x, mul(x, 2), random([2, 1], 2)], 1), random([2, 3])],
  ["broadcastTo", (x) => broadcastTo(x, [3, 2, 4]), random([2, 1])],
  ["take along the middle", (x) => take(x, 1, ids), random([2, 3, 2])],
  ["embedding", (x) => embedding(x, ids), random([3, 4])],
  ["rmsNorm", (x) => rmsNorm(x, random([4], 2)), random([3, 4])],
  ["rmsNorm, weight", (x) => rmsNorm(random([3, 4], 2), x), random([4])],
])("the gradient of %s equals central differences", (_, f, x) => {
  expect(() => checkGradient((z) => weigh(f(z)), x)).not.toThrow();
});

test("second gradients equal central differences of the first gradients", () => {
  const f = (x: Tensor) => sum(mul(softmax(matmul(x, transpose(x))), random([3, 3], 2)));
  const slope = (x: Tensor) => sum(mul(grad(f)(x), random([3, 4], 3)));
  expect(() => checkGradient(slope, random([3, 4]), { tolerance: 1e-5 })).not.toThrow();
  const cube = (x: Tensor) => sum(mul(x, mul(x, x)));
  expect(grad((x: Tensor) => sum(grad(cube)(x)))(tensor([2, 3])).toNested()).toEqual([12, 18]);
  const third = grad((x: Tensor) => sum(grad((y: Tensor) => sum(grad(cube)(y)))(x)));
  expect(third(tensor([2, 3])).toNested()).toEqual([6, 6]);
});

test("an inner gradient treats outer variables as constants, and the outer one differentiates through it", () => {
  // d/dx [x · d/dy (x y)] = d/dx [x · x] = 2x
  const f = (x: Tensor) => sum(mul(x, grad((y: Tensor) => sum(mul(x, y)))(tensor([5]))));
  expect(grad(f)(tensor([3])).toNested()).toEqual([6]);
});

test("params may be nested; int32 params and unused ones have a gradient of zeros", () => {
  const params = { table: random([3, 2]), layers: [{ w: random([2]) }], unused: random([1]), ids };
  const [value, gradient] = valueAndGrad(({ table, layers, ids }: typeof params) => {
    return sum(mul(embedding(table, ids), layers[0]!.w));
  })(params);
  expect(value.shape).toEqual([]);
  const w = params.layers[0]!.w.toNested() as number[];
  expect(gradient.table.toNested()).toEqual([w, [0, 0], [2 * w[0]!, 2 * w[1]!]]);
  expect(gradient.unused.toNested()).toEqual([0]);
  expect(gradient.ids.toNested()).toEqual([0, 0, 0]);
});

test("property: the pullback is linear", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const { pullback } = vjp((x: Tensor) => softmax(x), random([2, 3], seed));
      const [a, b] = [random([2, 3], seed + 1), random([2, 3], seed + 2)];
      const whole = pullback(add(a, mul(b, 3))).data;
      const parts = add(pullback(a), mul(pullback(b), 3)).data;
      expect(whole).toBeAllclose(parts, { rtol: 0, atol: 5e-13 });
    }),
  );
});

test("remat gives the same gradients, also of captured tensors", () => {
  const w = random([3]);
  const body = (x: Tensor, w: Tensor) => exp(mul(tanh(mul(x, w)), w));
  const plain = grad(({ x, w }: { x: Tensor; w: Tensor }) => weigh(body(x, w)));
  const again = grad(({ x, w }: { x: Tensor; w: Tensor }) => weigh(remat((x: Tensor) => body(x, w))(x)));
  const [a, b] = [plain({ x: random([2, 3], 2), w }), again({ x: random([2, 3], 2), w })];
  expect(b.x.toNested()).toEqual(a.x.toNested());
  expect(b.w.data as Float64Array).toBeAllclose(a.w.data, { rtol: 0, atol: 5e-13 });
});

test("no gradient flows through stopGradient", () => {
  expect(grad((x: Tensor) => sum(mul(x, stopGradient(x))))(tensor([3])).toNested()).toEqual([3]);
});

test("functions that cannot be differentiated are refused, with the fix", () => {
  const x = tensor([1, 2]);
  expect(() => grad((x: Tensor) => x)(x)).toThrow(
    /has shape \[2\], expected one number.\nFix: end the function with `sum`/,
  );
  expect(() => grad((x: Tensor) => x)("x" as unknown as Tensor)).toThrow(/`params` is "x"/);
  expect(() => checkGradient((z) => sum(z), x)).toThrow(/`x` is "float32", expected float64/);
  const wrong = (z: Tensor) => sum(mul(z, stopGradient(z)));
  expect(() => checkGradient(wrong, random([2]))).toThrow(
    /`gradient\[\d\]` is .*as central differences give/,
  );
  expect(() => vjp((x: Tensor) => x, x).pullback(tensor([1]))).toThrow(
    /`gradient` has shape \[1\], expected one tensor/,
  );
});

test("withBackward replaces the backward of ops by name, only inside of its function", () => {
  const double: Parameters<typeof withBackward>[0] = {
    exp: (op, call) => op.backward!(call as never).map((gradient) => gradient && mul(gradient, 2)),
  };
  const slope = grad((x: Tensor) => sum(exp(x)));
  const x = tensor([0, 1], { dtype: "float64" });
  expect(withBackward(double, () => withBackward({}, () => slope(x))).data).toEqual(mul(slope(x), 2).data);
  expect(() =>
    withBackward(double, () => {
      throw new Error("inside");
    }),
  ).toThrow("inside");
  expect(slope(x).data).toEqual(exp(x).data);
  expect(() => withBackward({ exp: 1 } as never, () => 1)).toThrow(
    /withBackward: `rules` is .*, expected an object with a function for each op/,
  );
});
