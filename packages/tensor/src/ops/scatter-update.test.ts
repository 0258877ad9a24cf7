import fc from "fast-check";
import { expect, test } from "vitest";
import { checkGradient } from "../check-gradient.js";
import { tensor, zeros } from "../create.js";
import { grad } from "../grad.js";
import { mul } from "./mul.js";
import { scatterUpdate } from "./scatter-update.js";
import { sum } from "./sum.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });
const ids = (values: number[]) => tensor(values, { dtype: "int32" });

test("property: each element comes from the update where the update covers it, else from the cache", () => {
  const size = fc.integer({ min: 1, max: 4 });
  const starts = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 2, maxLength: 2 });
  fc.assert(
    fc.property(size, size, size, starts, (S, T, D, starts) => {
      fc.pre(T <= S);
      const [cache, update] = [random([2, S, D], 1), random([2, T, D], 2)];
      const y = scatterUpdate(cache, update, { writeIndices: ids(starts), mode: "circular" });
      for (let b = 0; b < 2; b++) {
        for (let s = 0; s < S; s++) {
          const t = (((s - starts[b]!) % S) + S) % S;
          const [from, row] = t < T ? [update.data, b * T + t] : [cache.data, b * S + s];
          expect([...y.data.slice((b * S + s) * D, (b * S + s + 1) * D)]).toEqual([
            ...from.slice(row * D, (row + 1) * D),
          ]);
        }
      }
    }),
  );
});

test("golden: linear, from a start per sequence, along any axis but the first, in any dtype", () => {
  const cache = zeros([2, 4], { dtype: "float16" });
  const update = tensor(
    [
      [1, 2],
      [3, 4],
    ],
    { dtype: "float16" },
  );
  const y = scatterUpdate(cache, update, { axis: 1, writeIndices: ids([2, 1]) });
  expect(y.toNested()).toEqual([
    [0, 0, 1, 2],
    [0, 3, 4, 0],
  ]);
  expect(cache.toNested()).toEqual([
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ]);
  expect(scatterUpdate(zeros([1, 3, 1]), tensor([[[5]]])).toNested()).toEqual([[[5], [0], [0]]]);
});

test("first and second gradients of cache and update equal central differences", () => {
  const params = { cache: random([2, 3, 2]), update: random([2, 2, 2], 2) };
  const f = ({ cache, update }: typeof params) => {
    const y = scatterUpdate(cache, update, { writeIndices: ids([2, 0]), mode: "circular" });
    return sum(mul(mul(y, y), random([2, 3, 2], 9)));
  };
  expect(() => checkGradient(f, params)).not.toThrow();
  const slope = (update: Tensor) => sum(mul(grad(f)({ ...params, update }).update, random([2, 2, 2], 8)));
  expect(() => checkGradient(slope, params.update)).not.toThrow();
});

test("invalid arguments are refused, with the fix", () => {
  const [cache, update] = [zeros([1, 3, 2]), zeros([1, 2, 2])];
  expect(() => scatterUpdate(cache, update, { writeIndices: ids([2]) })).toThrow(
    /`writeIndices` is 2, expected a start from 0 to 1, for 2 elements on an axis of 3.\nFix: grow the cache first/,
  );
  expect(() => scatterUpdate(cache, update, { writeIndices: ids([-1]) })).toThrow(/`writeIndices` is -1/);
  expect(() => scatterUpdate(cache, update, { axis: 0 })).toThrow(
    /`axis` is 0, expected an axis after the first/,
  );
  expect(() => scatterUpdate(cache, zeros([1, 4, 2]))).toThrow(
    /`update` is "float32 \[1, 4, 2\]", expected float32 \[1, at most 3, 2\]/,
  );
  expect(() => scatterUpdate(cache, update, { writeIndices: zeros([1]) })).toThrow(
    /`writeIndices` is "float32 \[1\]", expected int32 \[1\]/,
  );
  const mode = "ring" as unknown as "circular";
  expect(() => scatterUpdate(cache, update, { mode })).toThrow(
    /`mode` is "ring", expected "linear" or "circular"/,
  );
});
