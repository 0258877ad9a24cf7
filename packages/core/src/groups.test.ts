import fc from "fast-check";
import { expect, test } from "vitest";
import { eachGroup, normalizeAxes, reducedShape } from "./groups.js";
import { eachRow } from "./rows.js";
import { stridesOf } from "./shape.js";

test("negative axes are counted from the end, and undefined means all axes", () => {
  expect(normalizeAxes("sum", undefined, 3)).toEqual([0, 1, 2]);
  expect(normalizeAxes("sum", -1, 3)).toEqual([2]);
  expect(normalizeAxes("sum", [-1, 0], 3)).toEqual([2, 0]);
});

test("repeated axes and axes out of range are refused", () => {
  expect(() => normalizeAxes("sum", [0, -2], 2)).toThrow(
    'sum: `axis` is "0, -2", expected each axis once.\nFix: remove the repeated axis',
  );
  expect(() => normalizeAxes("sum", 2, 2)).toThrow(
    "sum: `axis` is 2, expected an axis of a tensor of rank 2",
  );
});

test("the output shape drops the reduced axes, or has them with length 1", () => {
  expect(reducedShape([2, 3, 4], { axes: [2, 0], keepDims: false })).toEqual([3]);
  expect(reducedShape([2, 3, 4], { axes: [2, 0], keepDims: true })).toEqual([1, 3, 1]);
});

test("property: each element belongs to the group of its index on the other axes", () => {
  const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 });
  fc.assert(
    fc.property(shapes, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), (shape, taken) => {
      const axes = shape.flatMap((_, axis) => (taken[axis] ? [axis] : []));
      const strides = stridesOf(shape);
      const out = stridesOf(reducedShape(shape, { axes, keepDims: true }));
      const seen: number[] = [];
      eachGroup({ shape, strides, offset: 7 }, axes, ({ at, ...group }, o) => {
        eachRow(group.shape, [group.strides], [at], ([i], [di], n) => {
          for (let k = 0; k < n; k++) {
            const place = i! + k * di! - 7;
            seen.push(place);
            const indices = strides.map((stride, axis) => Math.floor(place / stride) % shape[axis]!);
            const own = indices.reduce((sum, at, axis) => sum + (taken[axis] ? 0 : at * out[axis]!), 0);
            expect(o).toBe(own);
          }
        });
      });
      expect(seen.sort((a, b) => a - b)).toEqual(
        Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
      );
    }),
  );
});
