import { randn, tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attentionWeights } from "../attention.js";
import { defineMask } from "../mask.js";
import { causal } from "../masks/causal.js";
import { slidingWindow } from "../masks/sliding-window.js";
import { firstToken } from "./first-token.js";

test("property: a head that attends only to the first token scores 1, one that never does scores 0", () => {
  const first = defineMask({ name: "first", sees: (_, key) => key === 0 });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 7 }), fc.nat(1000), (T, seed) => {
      const x = randn([2, 2, T, 2], { seed });
      expect(firstToken(attentionWeights(x, x, { mask: first })).toNested()).toEqual([1, 1]);
      expect(firstToken(attentionWeights(x, x, { mask: slidingWindow(1) })).toNested()).toEqual([0, 0]);
      firstToken(attentionWeights(x, x, { mask: causal() })).data.forEach((score) =>
        expect(score > 0 && score < 1).toBe(true),
      );
    }),
  );
});

test("golden: the first query is not counted, since it can attend only to the first token", () => {
  expect(
    firstToken(
      tensor([
        [
          [
            [1, 0, 0],
            [0.5, 0.5, 0],
            [0, 0, 1],
          ],
        ],
      ]),
    ).toNested(),
  ).toEqual([0.25]);
});

test("a single token is refused with the fix", () => {
  expect(() => firstToken(tensor([[[[1]]]]))).toThrow(
    /firstToken: .*\nFix: give the weights of two tokens or more/,
  );
});
