import { ArgumentError } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { concat, randn, slice, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention, attentionWeights } from "../attention.js";
import { causal } from "./causal.js";
import { exhaustiveTileClass } from "@qkv/test-support/exhaustive-tile-class";

const size = fc.integer({ min: 1, max: 6 });
const seed = fc.nat(1000);
const range = fc
  .tuple(fc.integer({ min: -6, max: 9 }), fc.nat(4))
  .map(([first, more]) => ({ first, last: first + more }));

/** Keys that each of T queries sees: a row of 0s and 1s for each. */
function seen(mask: Mask, T: number, S: number, batch = 0): string[] {
  const [q, k] = [randn([2, 1, T, 2], { seed: 1 }), randn([2, 1, S, 2], { seed: 2 })];
  const weights = attentionWeights(q, k, { mask }).toNested() as number[][][][];
  return weights[batch]![0]!.map((row) => row.map((weight) => (weight > 0 ? 1 : 0)).join(""));
}

test("property: a weight is positive exactly for the query's own key and those before it", () => {
  fc.assert(
    fc.property(size, fc.nat(4), (T, earlier) => {
      const rows = seen(causal(), T, T + earlier);
      rows.forEach((row, i) => expect(row).toBe("1".repeat(earlier + i + 1) + "0".repeat(T - i - 1)));
    }),
  );
});

test("property: changing later tokens does not change the output of a token", () => {
  fc.assert(
    fc.property(size, size, seed, (before, after, seed) => {
      const make = (T: number, seed: number) => randn([2, 2, T, 3], { seed });
      const [first, one, other] = [make(before, seed), make(after, seed + 1), make(after, seed + 2)];
      const outputs = [one, other].map((later) => {
        const x = concat([first, later], 2);
        return attention(x, x, x, { mask: causal() });
      }) as [Tensor, Tensor];
      const early = outputs.map((output) => slice(output, 2, 0, before).toNested());
      expect(early[0]).toEqual(early[1]);
      expect(outputs[0].data).not.toEqual(outputs[1].data);
    }),
  );
});

test("property: decoding the last token gives the last row of the full pass, bit for bit", () => {
  fc.assert(
    fc.property(size, size, seed, (T, D, seed) => {
      const x = randn([2, 3, T, D], { seed });
      const last = attention(slice(x, 2, -1), x, x, { mask: causal() });
      expect(last.data).toEqual(slice(attention(x, x, x, { mask: causal() }), 2, -1).data);
    }),
  );
});

test("property: the class of a tile is exactly that of its pairs", () => {
  const options = fc.oneof(
    fc.constantFrom({}, { align: "top-left" } as const, { align: "bottom-right" } as const),
    fc.record({ offset: fc.integer({ min: -4, max: 4 }) }),
    fc.record({ offset: fc.tuple(fc.integer({ min: -4, max: 4 }), fc.integer({ min: -4, max: 4 })) }),
  );
  fc.assert(
    fc.property(options, size, fc.nat(4), range, range, fc.nat(1), (options, T, more, query, key, batch) => {
      const bound = causal(options).bind({ queryLength: T, keyLength: T + more });
      expect(bound.tile(query, key, batch, 0)).toBe(exhaustiveTileClass(bound, query, key, batch));
    }),
  );
});

test("golden: the three alignments, 2 queries over 4 keys", () => {
  expect(seen(causal(), 2, 4)).toEqual(["1110", "1111"]);
  expect(seen(causal({ align: "bottom-right" }), 2, 4)).toEqual(["1110", "1111"]);
  expect(seen(causal({ align: "top-left" }), 2, 4)).toEqual(["1000", "1100"]);
  expect(seen(causal({ offset: 1 }), 2, 4)).toEqual(["1100", "1110"]);
  expect(seen(causal({ offset: -1 }), 2, 4)).toEqual(["0000", "1000"]);
  expect(seen(causal({ offset: [2, 0] }), 2, 4, 0)).toEqual(["1110", "1111"]);
  expect(seen(causal({ offset: [2, 0] }), 2, 4, 1)).toEqual(["1000", "1100"]);
});

test("golden: more queries than keys, with a given alignment", () => {
  expect(seen(causal({ align: "top-left" }), 3, 2)).toEqual(["10", "11", "11"]);
  expect(seen(causal({ align: "bottom-right" }), 3, 2)).toEqual(["00", "10", "11"]);
});

test("the name is the call that created it", () => {
  const names = [{}, { align: "top-left" } as const, { offset: 2 }, { offset: [0, 3] }].map(
    (o) => causal(o).name,
  );
  expect(names).toEqual([
    "causal()",
    'causal({ align: "top-left" })',
    "causal({ offset: 2 })",
    "causal({ offset: [0, 3] })",
  ]);
  expect([causal().perBatch, causal({ offset: [0, 3] }).perBatch]).toEqual([false, true]);
});

test("more queries than keys are refused, with both ways to align them", () => {
  const [q, k] = [randn([1, 1, 3, 2], { seed: 1 }), randn([1, 1, 2, 2], { seed: 2 })];
  expect(() => attention(q, k, k, { mask: causal() })).toThrow(ArgumentError);
  expect(() => attention(q, k, k, { mask: causal() })).toThrow(
    /causal: `mask` is "over 3 queries and 2 keys".*\nFix: say how they align: `causal\(\{ align: "top-left" \}\)` or `causal\(\{ align: "bottom-right" \}\)`/,
  );
});

test("unknown alignments and invalid offsets are refused", () => {
  expect(() => causal({ align: "left" as "top-left" })).toThrow(/`align` is "left", expected "bottom-right"/);
  expect(() => causal({ offset: 0.5 })).toThrow(/`offset` is 0.5, expected an integer number of tokens/);
  expect(() => causal({ offset: [0, NaN] })).toThrow(/`offset` is \[0, NaN\], expected an integer/);
  const x = randn([3, 1, 2, 2], { seed: 1 });
  expect(() => attention(x, x, x, { mask: causal({ offset: [0, 1] }) })).toThrow(
    /`offset` is "2 in all", expected 3, one per batch element.\nFix: give one per batch element/,
  );
});
