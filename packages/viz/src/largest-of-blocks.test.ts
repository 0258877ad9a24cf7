import fc from "fast-check";
import { expect, test } from "vitest";
import { largestOfBlocks } from "./largest-of-blocks.js";

test("property: each block has the largest of its weights, for the head at the offset", () => {
  const [size, block] = [fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 4 })];
  fc.assert(
    fc.property(size, size, block, block, fc.nat(3), (T, S, down, across, offset) => {
      const data = Array.from({ length: offset + T * S + 2 }, (_, i) => ((i * 37) % 11) / 11);
      const made = largestOfBlocks({ data, offset, shape: [T, S] }, [down, across]);
      expect(made.shape).toEqual([Math.ceil(T / down), Math.ceil(S / across)]);
      const expected = Array.from(made.data, () => 0);
      for (let i = 0; i < T * S; i++) {
        const [t, s] = [Math.floor(i / S), i % S];
        const at = Math.floor(t / down) * made.shape[1]! + Math.floor(s / across);
        expected[at] = Math.max(expected[at]!, data[offset + i]!);
      }
      expect([...(made.data as Float64Array)]).toEqual(expected);
    }),
  );
});

test("blocks of one are the weights themselves", () => {
  const made = largestOfBlocks({ data: [9, 1, 0, 0.5, 0.5], offset: 1, shape: [2, 2] }, [1, 1]);
  expect([...(made.data as Float64Array)]).toEqual([1, 0, 0.5, 0.5]);
});
