import { expect, test } from "vitest";
import { checkGradient } from "../check-gradient.js";
import { tensor, zeros } from "../create.js";
import { grad } from "../grad.js";
import { diagonal } from "./diagonal.js";
import { trace } from "./trace.js";
import { mul } from "./mul.js";
import { sum } from "./sum.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });

test("golden: by hand, over any two axes, as a view", () => {
  const x = tensor([1, 2, 3, 4, 5, 6, 7, 8], { shape: [2, 2, 2] });
  expect(diagonal(x).toNested()).toEqual([
    [1, 4],
    [5, 8],
  ]);
  expect(diagonal(x, 0, 2).toNested()).toEqual([
    [1, 6],
    [3, 8],
  ]);
  expect(diagonal(x, 2, 0).toNested()).toEqual([
    [1, 6],
    [3, 8],
  ]);
  expect(diagonal(x).storage).toBe(x.storage);
});

test("first and second gradients equal central differences", () => {
  const cube = (y: Tensor) => sum(mul(mul(y, mul(y, y)), random([...y.shape], 9)));
  const f = (x: Tensor) => cube(diagonal(x, 2, 0));
  expect(() => checkGradient(f, random([3, 2, 3]))).not.toThrow();
  const slope = (x: Tensor) => sum(mul(grad(f)(x), random([3, 2, 3], 8)));
  expect(() => checkGradient(slope, random([3, 2, 3]))).not.toThrow();
});

test("axes of different lengths, or one axis twice, are refused, with the fix", () => {
  expect(() => diagonal(zeros([2, 3]))).toThrow(
    /diagonal: `x` has shape \[2, 3\], expected two axes of one length.*\nFix: `slice`/,
  );
  expect(() => diagonal(zeros([2, 2]), 1, -1)).toThrow(/two axes of one length at 1 and -1/);
  expect(() => trace(zeros([4, 6]))).toThrow(/^trace: `x` has shape \[4, 6\]/);
  expect(() => trace(zeros([6]))).toThrow(/^trace: /);
});
