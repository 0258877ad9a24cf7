import fc from "fast-check";
import { expect, test } from "vitest";
import { checkGradient } from "../check-gradient.js";
import { tensor, zeros } from "../create.js";
import { grad } from "../grad.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";
import { cast } from "./cast.js";
import { cummax } from "./cummax.js";
import { cumprod } from "./cumprod.js";
import { mul } from "./mul.js";
import { sum } from "./sum.js";
import { transpose } from "./transpose.js";

const weigh = (y: Tensor) => sum(mul(y, randn([...y.shape], { seed: 99, dtype: "float64" })));
const numbers = fc.array(
  fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(NaN, Infinity, -Infinity)),
  {
    maxLength: 20,
  },
);

test("property: cummax and its indices equal a loop, also for NaN and equal numbers", () => {
  fc.assert(
    fc.property(numbers, (values) => {
      let place = 0;
      const places = values.map((value, i) => {
        if (Number.isNaN(value) || value >= values[place]!) place = i;
        return place;
      });
      const { values: largest, indices } = cummax(tensor(values, { shape: [values.length] }), 0);
      expect([...indices.data]).toEqual(places);
      expect([...largest.data]).toEqual(places.map((at) => values[at]));
      expect(indices.dtype).toBe("int32");
    }),
  );
});

test("property: cumprod is the product up to each element, along any axis of a view", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer(),
      (n, rows, seed) => {
        const x = transpose(randn([n, rows], { seed, dtype: "float64" }));
        const lists = x.toNested() as number[][];
        const expected = lists.map((list) =>
          list.map((_, i) => list.slice(0, i + 1).reduce((a, b) => a * b, 1)),
        );
        cumprod(x, 1).data.forEach((y, i) => expect(y).toBeCloseTo(expected.flat()[i]!, 12));
      },
    ),
  );
});

test.each<[string, (x: Tensor) => Tensor]>([
  ["cumprod", (x) => cumprod(x, 1)],
  ["cumprod of the first axis", (x) => cumprod(x, 0)],
  ["cummax", (x) => cummax(x, -1).values],
])("gradients of %s, first and second, equal central differences", (_, f) => {
  const x = randn([3, 5], { seed: 1, dtype: "float64" });
  expect(() => checkGradient((z) => weigh(f(z)), x)).not.toThrow();
  const slope = (z: Tensor) => weigh(grad((y: Tensor) => weigh(mul(f(y), f(y))))(z));
  expect(() => checkGradient(slope, x, { tolerance: 1e-5 })).not.toThrow();
});

test("the gradient of cumprod is correct for zeros, and that of cummax goes to the last of equal numbers", () => {
  expect(grad((z: Tensor) => sum(cumprod(z, 0)))(tensor([2, 0, 3, 0])).toNested()).toEqual([1, 8, 0, 0]);
  expect(grad((z: Tensor) => sum(cummax(z, 0).values))(tensor([2, 2, 1])).toNested()).toEqual([1, 2, 0]);
  const both = (z: Tensor) => sum(mul(cummax(z, 0).values, cast(cummax(z, 0).indices, "float32")));
  expect(grad(both)(tensor([2, 1, 3])).toNested()).toEqual([0, 0, 2]);
});

test("cummax accepts integers; an axis out of range is refused", () => {
  expect(cummax(tensor([-5, -7, -2], { dtype: "int32" }), 0).values.toNested()).toEqual([-5, -5, -2]);
  expect(() => cummax(zeros([2]), 1)).toThrow(/cummax: `axis` is 1/);
  expect(() => cumprod(zeros([2]), -2)).toThrow(/cumprod: `axis` is -2/);
});
