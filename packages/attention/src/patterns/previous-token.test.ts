import { randn, tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attentionWeights } from "../attention.js";
import { defineMask } from "../mask.js";
import { causal } from "../masks/causal.js";
import { slidingWindow } from "../masks/sliding-window.js";
import { previousToken } from "./previous-token.js";

const size = fc.integer({ min: 2, max: 7 });

test("property: a head that attends only to the previous token scores 1, one that attends only to its own scores 0", () => {
  const before = defineMask({ name: "before", sees: (query, key) => key === Math.max(query - 1, 0) });
  fc.assert(
    fc.property(size, fc.nat(1000), (T, seed) => {
      const x = randn([2, 3, T, 2], { seed });
      expect(previousToken(attentionWeights(x, x, { mask: before })).toNested()).toEqual([1, 1, 1]);
      expect(previousToken(attentionWeights(x, x, { mask: slidingWindow(1) })).toNested()).toEqual([0, 0, 0]);
      const between = previousToken(attentionWeights(x, x, { mask: causal() })).data;
      between.forEach((score) => expect(score > 0 && score < 1).toBe(true));
    }),
  );
});

test("golden: two heads, two sequences, by hand", () => {
  const weights = tensor([
    [
      [
        [1, 0, 0],
        [0.5, 0.5, 0],
        [0, 1, 0],
      ],
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    ],
    [
      [
        [1, 0, 0],
        [0, 1, 0],
        [0.5, 0.5, 0],
      ],
      [
        [1, 0, 0],
        [1, 0, 0],
        [0, 0, 1],
      ],
    ],
  ]);
  expect(previousToken(weights).toNested()).toEqual([0.5, 0.25]);
});

test("queries are the last positions", () => {
  expect(previousToken(tensor([[[[0.125, 0.625, 0.25]]]])).toNested()).toEqual([0.625]);
});

test("values that are not weights, and too few queries, are refused with the fix", () => {
  expect(() => previousToken(tensor([[1]]))).toThrow(
    /previousToken: `weights` has shape \[1, 1\], expected \[B, H, T, S\].*\nFix: give the weights of `attentionWeights`/,
  );
  expect(() => previousToken(tensor([[[[1]]]]))).toThrow(
    /previousToken: .*no query has a key to look at.*\nFix: give the weights of two tokens/,
  );
});
