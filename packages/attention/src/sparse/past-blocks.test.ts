import { attentionWeights } from "../attention.js";
import { zeros } from "@qkv/tensor";
import { expect, test } from "vitest";
import { pastBlocks } from "./past-blocks.js";

test("property: a block is visible if all its tokens are at or before the query", () => {
  for (const [T, blockSize] of [
    [7, 3],
    [6, 2],
    [4, 1],
    [3, 5],
  ] as const) {
    const C = Math.ceil(T / blockSize);
    const weights = attentionWeights(zeros([1, 1, T, 2]), zeros([1, 1, C, 2]), {
      mask: pastBlocks(blockSize),
    });
    weights.data.forEach((weight, i) => {
      const [query, block] = [Math.floor(i / C), i % C];
      expect(weight > 0, `${T} ${blockSize} ${i}`).toBe(
        Math.min(T + 1, (block + 1) * blockSize) - 1 <= query && (block + 1) * blockSize <= T,
      );
    });
  }
});

test("a block size of 0 is refused", () => {
  expect(() => pastBlocks(0)).toThrow(/pastBlocks: `blockSize` is 0, expected an integer number of tokens/);
});
