import { tensor, zeros } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attentionWeights } from "../attention.js";
import { defineMask } from "../mask.js";
import { causal } from "../masks/causal.js";
import { sameToken } from "./same-token.js";

test("property: a head that attends only to earlier occurrences of the same token scores 1, one that never does scores 0", () => {
  const texts = fc
    .array(fc.nat(3), { minLength: 2, maxLength: 8 })
    .filter((ids) => new Set(ids).size < ids.length);
  fc.assert(
    fc.property(texts, (ids) => {
      const T = ids.length;
      const same = (query: number, key: number) => key < query && ids[key] === ids[query];
      const x = zeros([2, 1, T, 2]);
      const only = defineMask({ name: "same", sees: same });
      const others = defineMask({ name: "others", sees: (q, k) => k <= q && !same(q, k) });
      expect(sameToken(attentionWeights(x, x, { mask: only }), ids).data[0]).toBeCloseTo(1, 6);
      expect(sameToken(attentionWeights(x, x, { mask: others }), ids).toNested()).toEqual([0]);
      const even = sameToken(attentionWeights(x, x, { mask: causal() }), ids).data[0]!;
      expect(even > 0 && even < 1).toBe(true);
    }),
  );
});

test("golden: ids per sequence; the query itself is not counted, nor are queries without an earlier occurrence", () => {
  const rows = [
    [1, 0, 0],
    [0.25, 0.75, 0],
    [0.5, 0.25, 0.25],
  ];
  const weights = tensor([[rows], [rows]]);
  expect(sameToken(weights, [4, 4, 5]).toNested()).toEqual([0.25]);
  expect(sameToken(weights, [4, 5, 4, 4, 4, 4]).toNested()).toEqual([0.5]); // (0.5 + 0.25 + 0.75) / 3
});

test("too few ids, and ids without repetition, are refused with the fix", () => {
  const weights = tensor([
    [
      [
        [1, 0],
        [0, 1],
      ],
    ],
  ]);
  expect(() => sameToken(weights, [1])).toThrow(
    /sameToken: `ids` is "1 ids", expected S = 2 of them.*\nFix: give the ids of all tokens/,
  );
  expect(() => sameToken(weights, [1, 2])).toThrow(
    /sameToken: .*\nFix: give a text in which a token occurs twice/,
  );
});
