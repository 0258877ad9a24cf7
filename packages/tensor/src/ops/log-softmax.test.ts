import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { checkGradient } from "../check-gradient.js";
import { tensor } from "../create.js";
import { exp } from "./exp.js";
import { logSoftmax } from "./log-softmax.js";
import { mul } from "./mul.js";
import { softmax } from "./softmax.js";
import { sum } from "./sum.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });
const weigh = (y: Tensor) => sum(mul(y, random([...y.shape], 99)));

test("property: exp of logSoftmax is softmax, along any axis", () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: -2, max: 1 }), (seed, axis) => {
      const x = random([3, 4], seed);
      expect(exp(logSoftmax(x, { axis }))).toBeAllclose(softmax(x, { axis }), { rtol: 0, atol: 5e-13 });
    }),
  );
});

test("golden: by hand, where the softmax itself is 0", () => {
  expect(logSoftmax(tensor([0, -2000])).toNested()).toEqual([0, -2000]);
  expect(logSoftmax(tensor([5, 5])).toNested()).toEqual([Math.fround(-Math.LN2), Math.fround(-Math.LN2)]);
});

test("the gradient equals central differences; integer tensors and axes out of range are refused", () => {
  expect(() => checkGradient((x) => weigh(logSoftmax(x, { axis: 0 })), random([3, 4]))).not.toThrow();
  expect(() => logSoftmax(tensor([1, 2]), { axis: 1 })).toThrow(/logSoftmax: `axis` is 1/);
  expect(() => logSoftmax(tensor([1], { dtype: "int32" }))).toThrow(/expected float32 or float64/);
});
