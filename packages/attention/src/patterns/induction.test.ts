import { tensor, zeros } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attentionWeights } from "../attention.js";
import { defineMask } from "../mask.js";
import { causal } from "../masks/causal.js";
import { induction } from "./induction.js";

test("property: on a repeated text, a head that attends to the token after the previous occurrence scores 1", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(50), { minLength: 2, maxLength: 6 }), (words) => {
      const n = words.length;
      const ids = [...words, ...words];
      const x = zeros([1, 1, 2 * n, 2]);
      const after = defineMask({
        name: "after",
        sees: (query, key) => (query < n ? key === query : key === query - n + 1),
      });
      const where = defineMask({ name: "where", sees: (q, k) => (q < n ? k === q : k === q - n) });
      expect(induction(attentionWeights(x, x, { mask: after }), ids).toNested()).toEqual([1]);
      expect(induction(attentionWeights(x, x, { mask: where }), ids).toNested()).toEqual([0]);
      const even = induction(attentionWeights(x, x, { mask: causal() }), ids).data[0]!;
      expect(even > 0 && even < 1).toBe(true);
    }),
  );
});

test("golden: A B A A, by hand; the weights of all continuations are added", () => {
  const weights = tensor([
    [
      [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0.25, 0.5, 0.25, 0], // A occurred at 0: look at 1
        [0, 0.25, 0.25, 0.5], // A occurred at 0 and 2: look at 1 and 3
      ],
    ],
  ]);
  expect(induction(weights, Int32Array.of(1, 2, 1, 1)).toNested()).toEqual([0.625]);
  // Decoding: the last query alone.
  expect(induction(tensor([[[[0, 0.25, 0.25, 0.5]]]]), [1, 2, 1, 1]).toNested()).toEqual([0.75]);
});

test("a text without repetition is refused with the fix", () => {
  expect(() =>
    induction(
      tensor([
        [
          [
            [1, 0],
            [0, 1],
          ],
        ],
      ]),
      [1, 2],
    ),
  ).toThrow(/induction: .*\nFix: give a text in which a token occurs twice/);
  expect(() =>
    induction(
      tensor([
        [
          [
            [1, 0],
            [0, 1],
          ],
        ],
      ]),
      [1, 2, 3],
    ),
  ).toThrow(/induction: `ids` is "3 ids"/);
});
