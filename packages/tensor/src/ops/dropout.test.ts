import fc from "fast-check";
import { expect, test } from "vitest";
import { checkGradient } from "../check-gradient.js";
import { ones } from "../create.js";
import { dropout } from "./dropout.js";
import { mul } from "./mul.js";
import { permute } from "./permute.js";
import { sum } from "./sum.js";
import { randn, uniform } from "../random/randn.js";
import type { Tensor } from "../tensor.js";

test("property: an element is dropped if its uniform number is below the rate, and the others are scaled", () => {
  fc.assert(
    fc.property(fc.integer(), fc.double({ min: 0, max: 0.95, noNaN: true }), (seed, rate) => {
      const chance = uniform([4, 5], { seed, dtype: "float64" }).data;
      const y = dropout(ones([4, 5], { dtype: "float64" }), { rate, seed });
      y.data.forEach((value, i) => expect(value).toBe(chance[i]! < rate ? 0 : 1 / (1 - rate)));
    }),
  );
});

test("with rate 0.25, about a quarter of the elements is dropped, and the mean is preserved", () => {
  const { data } = dropout(ones([10_000]), { rate: 0.25, seed: 7 });
  const dropped = data.filter((value) => value === 0).length;
  expect(Math.abs(dropped - 2500)).toBeLessThan(4 * Math.sqrt(10_000 * 0.25 * 0.75));
});

test("the dropped elements depend on row-major indices, not on strides", () => {
  const x = uniform([3, 4], { seed: 1 });
  const view = dropout(permute(x, [1, 0]), { rate: 0.5, seed: 3 });
  const kept = dropout(ones([4, 3]), { rate: 0.5, seed: 3 });
  expect(view.toNested()).toEqual(mul(permute(x, [1, 0]), kept).toNested());
});

test("the gradient is dropped at the same elements as the output", () => {
  const [x, dy] = [
    randn([2, 3], { seed: 1, dtype: "float64" }),
    randn([2, 3], { seed: 2, dtype: "float64" }),
  ];
  const f = (z: Tensor) => sum(mul(mul(dropout(z, { rate: 0.4, seed: 5 }), z), dy));
  expect(() => checkGradient(f, x)).not.toThrow();
});

test("a rate of 1 and a seed that is not an integer are refused, with the fix", () => {
  expect(() => dropout(ones([2]), { rate: 1, seed: 1 })).toThrow(
    /`rate` is 1, expected a probability.*\nFix: 0.1 drops/,
  );
  expect(() => dropout(ones([2]), { rate: NaN, seed: 1 })).toThrow(/`rate` is NaN/);
  expect(() => dropout(ones([2]), { rate: 0.1, seed: 0.5 })).toThrow(/dropout: `seed` is 0.5/);
});
