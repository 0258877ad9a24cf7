import fc from "fast-check";
import { expect, test } from "vitest";
import { checkGradient } from "../check-gradient.js";
import { arange, tensor, zeros } from "../create.js";
import { js } from "../js-device.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";
import { diag } from "./diag.js";
import { diagonal } from "./diagonal.js";
import { eye } from "./eye.js";
import { linspace } from "./linspace.js";
import { matmul } from "./matmul.js";
import { meshgrid } from "./meshgrid.js";
import { mul } from "./mul.js";
import { sum } from "./sum.js";
import { trace } from "./trace.js";
import { onesLike, zerosLike } from "./zeros-like.js";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });
const weigh = (y: Tensor) => sum(mul(y, random([...y.shape], 99)));

test("property: arange has the numbers before its end, in positive or negative steps", () => {
  const number = fc.integer({ min: -20, max: 20 });
  fc.assert(
    fc.property(number, number, number, (start, stop, step) => {
      fc.pre(step !== 0);
      const expected: number[] = [];
      for (let x = start; step > 0 ? x < stop : x > stop; x += step) expected.push(x);
      expect([...arange(start, stop, step, { dtype: "int32" }).data]).toEqual(expected);
    }),
  );
  expect(arange(0.5, 2).toNested()).toEqual([0.5, 1.5]);
  expect(arange(3, { start: 1, dtype: "int32" }).toNested()).toEqual([1, 2, 3]);
});

test("property: linspace begins at the first limit, ends at the last, and has equal steps", () => {
  const number = fc.double({ min: -1e3, max: 1e3, noNaN: true });
  fc.assert(
    fc.property(number, number, fc.integer({ min: 2, max: 20 }), (start, stop, count) => {
      const { data } = linspace(start, stop, count, { dtype: "float64" });
      expect(data).toHaveLength(count);
      expect([data[0], data[count - 1]]).toEqual([start + 0, stop + 0]);
      for (let i = 1; i < count; i++)
        expect(data[i]! - data[i - 1]!).toBeCloseTo((stop - start) / (count - 1), 9);
    }),
  );
  expect(linspace(3, 9, 1).toNested()).toEqual([3]);
});

test("property: a product with eye changes no matrix; the trace of a product does not depend on the order", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer(),
      (n, m, seed) => {
        const [a, b] = [random([n, m], seed), random([m, n], seed + 1)];
        expect([...matmul(eye(n, { dtype: "float64" }), a).data]).toEqual([...a.data]);
        expect(trace(matmul(a, b)).data[0]).toBeCloseTo(trace(matmul(b, a)).data[0]!, 12);
        expect([...diagonal(diag(b)).data]).toEqual([...b.data]);
        expect(sum(diag(b)).data[0]).toBeCloseTo(sum(b).data[0]!, 12);
      },
    ),
  );
  expect(eye(2, { columns: 1, dtype: "bool" }).toNested()).toEqual([[true], [false]]);
});

test.each<[string, (x: Tensor) => Tensor, number[]]>([
  ["diag", diag, [2, 3]],
  ["trace", trace, [2, 3, 3]],
  ["meshgrid", (x) => mul(...(meshgrid([x, mul(x, x)]) as [Tensor, Tensor])), [3]],
])("the gradient of %s equals central differences", (_, f, shape) => {
  expect(() => checkGradient((z) => weigh(f(z)), random(shape))).not.toThrow();
});

test("meshgrid repeats each vector along the other axes", () => {
  const [a, b, c] = meshgrid([arange(2), arange(3), arange(4)]) as [Tensor, Tensor, Tensor];
  for (let i = 0; i < 2; i++)
    for (let j = 0; j < 3; j++)
      for (let k = 0; k < 4; k++) {
        const at = (x: Tensor) => (x.toNested() as number[][][])[i]![j]![k];
        expect([a, b, c].map(at)).toEqual([i, j, k]);
      }
  expect(meshgrid([])).toEqual([]);
});

test("zerosLike and onesLike have the shape, dtype and device of the tensor", () => {
  const x = zeros([2, 3], { dtype: "int32", device: js() });
  for (const like of [zerosLike, onesLike]) {
    expect(like(x).device).toBe(x.device);
    expect([like(x).shape, like(x).dtype, like(x, { dtype: "float16" }).dtype]).toEqual([
      [2, 3],
      "int32",
      "float16",
    ]);
  }
  expect([...onesLike(x).data, ...zerosLike(x).data]).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
});

test("invalid arguments are refused, with the fix", () => {
  expect(() => arange(0, 1, 0)).toThrow(/`step` is 0, expected a step that is not 0/);
  expect(() => arange(0, 1, 0.5, { dtype: "int32" })).toThrow(/^arange: .*0.5/);
  expect(() => arange(1.5)).toThrow(/`length` is 1.5/);
  expect(() => linspace(0, 1, 0)).toThrow(/`count` is 0/);
  expect(() => eye(-1)).toThrow(/`rows` is -1/);
  expect(() => diag(tensor(1))).toThrow(/^diag: `x` has shape \[\]/);
  expect(() => trace(zeros([2, 3]))).toThrow(/two axes of one length/);
  expect(() => meshgrid([zeros([2, 2])])).toThrow(/`vectors\[0\]` has shape \[2, 2\], expected a vector/);
  expect(() => zerosLike(zeros([1]), { shape: [1] } as never)).toThrow(/`shape` is/);
});
