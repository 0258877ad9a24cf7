import fc from "fast-check";
import { expect, test } from "vitest";
import { medianFilter } from "./median-filter.js";

test("golden: a median filter of width 3, mirrored at the ends", () => {
  // [9 1 9], [1 9 2], [9 2 3], [2 3 8], [3 8 4], [8 4 8]
  expect([...medianFilter(Float64Array.of(1, 9, 2, 3, 8, 4), 3)]).toEqual([9, 2, 3, 3, 4, 8]);
});

test("property: the filter removes a spike shorter than half its width and preserves a step", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 5 }), (before, side) => {
      const width = 2 * side + 1;
      const spike = new Float64Array(4 * width).fill(7, width + before, width + before + side);
      expect(medianFilter(spike, width).every((x) => x === 0)).toBe(true);
      const step = new Float64Array(4 * width).fill(1, width + before);
      expect(medianFilter(step, width)).toEqual(step);
    }),
  );
  const short = Float64Array.of(1, 5, 2);
  expect(medianFilter(short, 7)).toBe(short);
});
