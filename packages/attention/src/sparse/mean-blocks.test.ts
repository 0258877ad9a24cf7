import { checkGradient, mul, randn, sum } from "@qkv/tensor";
import { expect, test } from "vitest";
import { meanBlocks } from "./mean-blocks.js";

const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });

test("property: blocks of one token give the tokens, and a single block gives the mean", () => {
  const x = make([1, 2, 5, 3], 1);
  expect(meanBlocks(x, 1).data).toEqual(x.data);
  const all = meanBlocks(x, 9);
  expect(all.shape).toEqual([1, 2, 1, 3]);
  expect(all.data[0]).toBeCloseTo(
    [0, 3, 6, 9, 12].reduce((total, i) => total + x.data[i]! / 5, 0),
    12,
  );
});

test("the gradient of the tokens equals central differences, with a short last block", () => {
  const dy = make([1, 2, 3, 2], 2);
  checkGradient((x) => sum(mul(meanBlocks(x, 2), dy)), make([1, 2, 5, 2], 1));
});

test("a block size of 0 is refused", () => {
  expect(() => meanBlocks(make([1, 1, 2, 2], 1), 0)).toThrow(
    /meanBlocks: `blockSize` is 0, expected an integer number of tokens/,
  );
});
