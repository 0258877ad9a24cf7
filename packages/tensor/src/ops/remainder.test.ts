import fc from "fast-check";
import { expect, test } from "vitest";
import { checkGradient } from "../check-gradient.js";
import { tensor } from "../create.js";
import { grad } from "../grad.js";
import { randn, uniform } from "../random/randn.js";
import type { Tensor } from "../tensor.js";
import { add } from "./add.js";
import { floorDivide } from "./floor-divide.js";
import { mul } from "./mul.js";
import { remainder } from "./remainder.js";
import { sum } from "./sum.js";

const float64 = (values: number[]) => tensor(values, { dtype: "float64" });
const int32 = (values: number[]) => tensor(values, { dtype: "int32" });

test("property: for integers, quotient · divisor + remainder equals the dividend", () => {
  const number = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(number, fc.oneof(number, fc.integer({ min: -9, max: 9 })), (a, b) => {
      fc.pre(b !== 0 && a !== -(b * 2 ** 31));
      const [x, y] = [int32([a]), int32([b])];
      const rest = remainder(x, y).data[0]!;
      expect(floorDivide(x, y).data[0]).toBe(Math.floor(a / b) + 0);
      expect(add(mul(floorDivide(x, y), y), remainder(x, y)).data[0]).toBe(a);
      expect(rest === 0 || rest < 0 === b < 0).toBe(true);
    }),
  );
});

test("property: for floats, the remainder is between 0 and the divisor, and exact if the signs agree", () => {
  const number = fc.double({ min: 1e-3, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(number, number, fc.constantFrom(1, -1), (a, b, sign) => {
      const [rest] = remainder(float64([-sign * a]), sign * b).data as unknown as [number];
      expect(sign * rest).toBeGreaterThanOrEqual(0);
      expect(sign * rest).toBeLessThanOrEqual(b);
      expect(remainder(float64([sign * a]), sign * b).data[0]).toBe(sign * (a % b));
    }),
  );
});

// The numbers are PyTorch 2.6's, but for an infinite divisor of floorDivide.
test("golden: zeros, infinities, and quotients close to an integer", () => {
  const a = float64([0.3, 5, -1, 1, Infinity, 1, -1, NaN]);
  const b = float64([0.1, 0, Infinity, -Infinity, 2, Infinity, 0, 1]);
  const rests = [...remainder(a, b).data];
  expect(rests[0]).toBeCloseTo(0.1, 15);
  expect(rests.slice(1)).toEqual([NaN, Infinity, -Infinity, NaN, 1, NaN, NaN]);
  const quotients = [...floorDivide(a, b).data];
  expect(quotients).toEqual([2, Infinity, NaN, NaN, NaN, 0, -Infinity, NaN]);
  expect(remainder(int32([7, -7]), 0).toNested()).toEqual([0, 0]);
  expect(floorDivide(int32([7, 2 ** 31 - 1]), int32([0, -7])).toNested()).toEqual([0, -306783379]);
  expect(remainder(tensor([200, 7], { dtype: "uint8" }), 9).toNested()).toEqual([2, 7]);
});

test("the gradient of remainder equals central differences; none flows through floorDivide", () => {
  const both = {
    a: randn([4, 3], { seed: 1, dtype: "float64" }),
    b: uniform([3], { seed: 2, low: 0.3, high: 0.6, dtype: "float64" }),
  };
  const weights = randn([4, 3], { seed: 3, dtype: "float64" });
  expect(() => checkGradient((p: typeof both) => sum(mul(remainder(p.a, p.b), weights)), both)).not.toThrow();
  const slope = grad((z: Tensor) => sum(add(floorDivide(z, float64([2, 0])), z)));
  expect(slope(float64([5, 5])).toNested()).toEqual([1, 1]);
});

test("bools and operands of different dtypes are refused", () => {
  const bools = tensor([true, false]);
  expect(() => remainder(bools, bools)).toThrow(/remainder: `a` is "bool"/);
  expect(() => floorDivide(bools, bools)).toThrow(/floorDivide: `a` is "bool"/);
  expect(() => floorDivide(float64([1]), tensor([1]))).toThrow(/`b` is "float32", expected float64/);
});
