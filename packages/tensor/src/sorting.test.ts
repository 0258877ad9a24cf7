import fc from "fast-check";
import { expect, test } from "vitest";
import { checkGradient } from "./check-gradient.js";
import { tensor, zeros } from "./create.js";
import { argSort } from "./ops/arg-sort.js";
import { mul } from "./ops/mul.js";
import { sort } from "./ops/sort.js";
import { sum } from "./ops/sum.js";
import { topK } from "./ops/top-k.js";
import { transpose } from "./ops/transpose.js";
import { randn } from "./random/randn.js";
import type { Tensor } from "./tensor.js";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });
const weigh = (y: Tensor) => sum(mul(y, random([...y.shape], 99)));
const few = fc.constantFrom(-Infinity, -2, -0, 0, 1, 1.5, 7, Infinity, NaN);
const lines = fc.array(few, { maxLength: 40 });

/** JavaScript's own stable sort, with NaN last. */
function ordered(values: number[], descending: boolean): number[] {
  const compare = (a: number, b: number): number =>
    Number.isNaN(a) || Number.isNaN(b)
      ? Number(Number.isNaN(a)) - Number(Number.isNaN(b))
      : Math.sign(descending ? Number(b > a) - Number(b < a) : Number(a > b) - Number(a < b));
  return values.map((_, k) => k).sort((p, q) => compare(values[p]!, values[q]!));
}

test("property: sort and argSort are stable, with NaN last in both directions", () => {
  fc.assert(
    fc.property(lines, fc.boolean(), (values, descending) => {
      const x = tensor(Float64Array.from(values));
      const places = ordered(values, descending);
      expect([...argSort(x, { descending }).data]).toEqual(places);
      expect([...sort(x, { descending }).data]).toEqual(places.map((k) => values[k]!));
    }),
  );
});

test("property: topK gives the first k numbers of a sort", () => {
  fc.assert(
    fc.property(lines, fc.nat(40), fc.boolean(), (values, wanted, largest) => {
      const k = Math.min(wanted, values.length);
      const places = ordered(values, largest).slice(0, k);
      const top = topK(tensor(Float64Array.from(values)), k, { largest });
      expect([...top.indices.data]).toEqual(places);
      expect([...top.values.data]).toEqual(places.map((p) => values[p]!));
    }),
  );
});

test("sort, argSort and topK accept any axis of a view, and integers", () => {
  const x = tensor(
    [
      [3, 1, 2],
      [0, 5, 4],
    ],
    { dtype: "int32" },
  );
  expect(sort(x).toNested()).toEqual([
    [1, 2, 3],
    [0, 4, 5],
  ]);
  expect(sort(x, { axis: 0, descending: true }).toNested()).toEqual([
    [3, 5, 4],
    [0, 1, 2],
  ]);
  expect(sort(transpose(x), { axis: 0 }).toNested()).toEqual([
    [1, 0],
    [2, 4],
    [3, 5],
  ]);
  expect(argSort(x, { axis: 0 }).toNested()).toEqual([
    [1, 0, 0],
    [0, 1, 1],
  ]);
  const { values, indices } = topK(x, 1, { axis: 0, largest: false });
  expect([values.toNested(), indices.toNested()]).toEqual([[[0, 1, 2]], [[1, 0, 0]]]);
  expect([values.dtype, indices.dtype]).toEqual(["int32", "int32"]);
});

test.each<[string, (x: Tensor) => Tensor]>([
  ["sort", (x) => sort(x, { axis: 0 })],
  ["topK", (x) => topK(x, 2, { axis: 1 }).values],
])("the gradient of %s goes back to where each number came from", (_, f) => {
  expect(() => checkGradient((z) => weigh(f(z)), random([3, 4]))).not.toThrow();
});

test("topK refuses a k larger than the axis", () => {
  expect(() => topK(zeros([3]), 4)).toThrow(
    "topK: `k` is 4, expected an integer from 0 to 3, the length of axis 0.",
  );
  expect(() => topK(zeros([3]), -1)).toThrow(/`k` is -1/);
  expect(() => sort(zeros([]))).toThrow(/sort: `axis` is -1, expected an axis of a tensor of rank 0/);
});
