import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { checkGradient } from "../check-gradient.js";
import { ones, tensor, zeros } from "../create.js";
import { grad } from "../grad.js";
import { layerNorm } from "./layer-norm.js";
import { mul } from "./mul.js";
import { permute } from "./permute.js";
import { rmsNorm } from "./rms-norm.js";
import { sum } from "./sum.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });
const weigh = (y: Tensor) => sum(mul(y, random([...y.shape], 99)));

test("property: each row has mean 0 and variance 1", () => {
  const size = fc.integer({ min: 2, max: 9 });
  fc.assert(
    fc.property(size, size, fc.integer(), fc.constantFrom(1, 1e6, 1e12), (rows, C, seed, offset) => {
      const x = random([rows, C], seed);
      const moved = tensor(
        x.data.map((value) => value + offset),
        { shape: [rows, C] },
      );
      const { data } = layerNorm(moved, undefined, undefined, { eps: 0 });
      for (let r = 0; r < rows; r++) {
        const given = moved.data.slice(r * C, (r + 1) * C) as Float64Array;
        fc.pre(given.some((value) => value !== given[0]));
        const row = data.slice(r * C, (r + 1) * C) as Float64Array;
        expect(row.reduce((a, b) => a + b, 0) / C).toBeCloseTo(0, 9);
        expect(row.reduce((a, b) => a + b * b, 0) / C).toBeCloseTo(1, 9);
      }
    }),
  );
});

test("golden: by hand", () => {
  // Mean 2, variance 1, then twice that plus 10; the bias alone; the weight alone.
  const x = tensor([
    [1, 3],
    [3, 1],
  ]);
  const [two, ten] = [tensor([2, 2]), tensor([10, 10])];
  expect(layerNorm(x, two, ten, { eps: 0 }).toNested()).toEqual([
    [8, 12],
    [12, 8],
  ]);
  expect(layerNorm(x, undefined, ten, { eps: 0 }).toNested()).toEqual([
    [9, 11],
    [11, 9],
  ]);
  expect(layerNorm(x, two, undefined, { eps: 3 }).toNested()).toEqual([
    [-1, 1],
    [1, -1],
  ]);
});

test("several last axes are normalized together, also in strided views", () => {
  const x = permute(random([4, 2, 3]), [1, 2, 0]);
  const [weight, bias] = [random([3, 4], 2), random([3, 4], 3)];
  const whole = layerNorm(x, weight, bias, { axis: 1 });
  expect(whole.shape).toEqual([2, 3, 4]);
  const flat = tensor(x.data, { shape: [2, 12] });
  const [w, b] = [tensor(weight.data), tensor(bias.data)];
  expect([...whole.data]).toEqual([...layerNorm(flat, w, b).data]);
  expect([...rmsNorm(x, weight, { axis: -2 }).data]).toEqual([...rmsNorm(flat, w).data]);
});

test("rows near 1000 are accurate in float32", () => {
  const near = tensor([1000.25, 1000.5, 1000.75, 1001]); // exact in float32
  const far = layerNorm(near, undefined, undefined, { eps: 0 });
  const plain = layerNorm(tensor([0.25, 0.5, 0.75, 1]), undefined, undefined, { eps: 0 });
  expect([...far.data]).toEqual([...plain.data]);
  const slope = (x: Tensor) => grad((z: Tensor) => sum(mul(layerNorm(z), tensor([1, 0, 0, 0]))))(x).data;
  expect(slope(near)).toBeAllclose(slope(tensor([0.25, 0.5, 0.75, 1])), { rtol: 0, atol: 5e-6 });
});

test("first and second gradients equal central differences", () => {
  const params = { x: random([2, 3, 4]), weight: random([4], 2), bias: random([4], 3) };
  expect(() => checkGradient((p) => weigh(layerNorm(p.x, p.weight, p.bias)), params)).not.toThrow();
  const wide = { x: random([2, 3, 2]), weight: random([3, 2], 2) };
  expect(() =>
    checkGradient((p) => weigh(layerNorm(p.x, p.weight, undefined, { axis: -2 })), wide),
  ).not.toThrow();
  expect(() => checkGradient((p) => weigh(rmsNorm(p.x, p.weight, { axis: -2 })), wide)).not.toThrow();
  const slope = (x: Tensor) => weigh(grad((z: Tensor) => weigh(layerNorm(z)))(x));
  expect(() => checkGradient(slope, random([2, 4]), { tolerance: 1e-5 })).not.toThrow();
});

test("gradients equal central differences where eps dominates the variance", () => {
  const params = { x: random([2, 3, 4]), weight: random([4], 2), bias: random([4], 3) };
  const eps = 0.7;
  expect(() => checkGradient((p) => weigh(layerNorm(p.x, p.weight, p.bias, { eps })), params)).not.toThrow();
  expect(() => checkGradient((p) => weigh(rmsNorm(p.x, p.weight, { eps })), params)).not.toThrow();
});

test("a weight of another shape or dtype is refused, with the fix", () => {
  expect(() => layerNorm(zeros([2, 3]), ones([2]))).toThrow(
    /layerNorm: `weight` is "float32 \[2\]", expected float32 \[3\], the axes of x from 1 on.*\nFix: the norm goes over these axes/,
  );
  expect(() => layerNorm(zeros([2, 3]), ones([3]), ones([3], { dtype: "float64" }))).toThrow(
    /`bias` is "float64 \[3\]"/,
  );
  expect(() => rmsNorm(zeros([2, 3]), ones([3]), { axis: 0 })).toThrow(
    /rmsNorm: `weight` is "float32 \[3\]", expected float32 \[2, 3\]/,
  );
  expect(() => rmsNorm(zeros([2, 3]), undefined as unknown as Tensor)).toThrow(/`weight`.*expected a tensor/);
  expect(() => layerNorm(zeros([3], { dtype: "int32" }))).toThrow(/expected float32 or float64/);
});
