import { full, randn, tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { blockSparse } from "./block-sparse.js";
import { rowsSeen } from "@qkv/test-support/rows-seen";

test("property: a layout of ones equals full attention, and a layout of zeros gives zeros", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 4 }), (S, blockSize) => {
      const x = randn([1, 2, S, 3], { seed: S });
      const blocks = Math.ceil(S / blockSize);
      const all = (value: boolean) =>
        blockSparse(
          tensor(Array<boolean>(blocks * blocks).fill(value), { shape: [blocks, blocks] }),
          blockSize,
        );
      expect(attention(x, x, x, { mask: all(true) }).data).toEqual(attention(x, x, x).data);
      expect(attention(x, x, x, { mask: all(false) }).data.every((number) => number === 0)).toBe(true);
    }),
  );
});

test("golden: one layout, one per head, and a call with only the last queries", () => {
  const layout = tensor([
    [true, false, false],
    [false, true, false],
    [true, false, true],
  ]);
  const mask = blockSparse(layout, 2);
  expect(rowsSeen(mask, 5)).toEqual(["11000", "11000", "00110", "00110", "11001"]);
  expect(rowsSeen(mask, 1, 5)).toEqual(["11001"]);
  expect([mask.name, mask.perHead]).toEqual(["blockSparse([3, 3], 2)", false]);
  const heads = blockSparse(tensor([[[true]], [[false]]]), 2);
  expect([rowsSeen(heads, 1, 1, 0, 0), rowsSeen(heads, 1, 1, 0, 1)]).toEqual([["1"], ["0"]]);
  expect(heads.perHead).toBe(true);
});

test("layouts that do not fit are refused, with the fix", () => {
  const x = randn([1, 3, 5, 2], { seed: 1 });
  const layout = tensor([
    [true, false],
    [true, true],
  ]);
  expect(() => attention(x, x, x, { mask: blockSparse(layout, 2) })).toThrow(
    /blockSparse: `layout` has shape \[2, 2\], expected 3 blocks of 2 for S = 5 positions.\nFix: give \[query blocks/,
  );
  const twoHeads = blockSparse(tensor([[[true]], [[false]]]), 8);
  expect(() => attention(x, x, x, { mask: twoHeads })).toThrow(/expected a layout for 3 heads/);
  expect(() => blockSparse(full([2, 2], 1), 2)).toThrow(/`layout` is "float32", expected bool/);
  expect(() => blockSparse(tensor([true]), 2)).toThrow(/two axes, or three with heads first/);
  expect(() => blockSparse(layout, 0)).toThrow(
    /`blockSize` is 0, expected an integer number of tokens, 1 or more/,
  );
});
