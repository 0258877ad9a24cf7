import { randn, slice, tensor, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention, attentionWeights } from "../attention.js";
import { and } from "./and.js";
import { causal } from "./causal.js";
import { padding } from "./padding.js";
import { exhaustiveTileClass } from "@qkv/test-support/exhaustive-tile-class";

const seed = fc.nat(1000);
const lengths = fc.array(fc.nat(6), { minLength: 1, maxLength: 3 });

/** x with the tokens beyond the length of each sequence replaced. */
function withGarbage(x: Tensor, lengths: readonly number[], garbage: number): Tensor {
  const [, H, T, D] = x.shape as [number, number, number, number];
  const data = x.data.map((number, i) => {
    const token = Math.floor(i / D) % T;
    return token < lengths[Math.floor(i / (D * T * H))]! ? number : garbage;
  });
  return tensor(data, { shape: x.shape });
}

test("property: each sequence gives the same as by itself, whatever its padding contains", () => {
  const garbage = fc.constantFrom(NaN, Infinity, -Infinity, 1e30);
  fc.assert(
    fc.property(lengths, seed, garbage, fc.boolean(), (lengths, seed, garbage, ahead) => {
      const shape = [lengths.length, 2, 6, 3];
      const [query, key, value] = [0, 1, 2].map((n) => randn(shape, { seed: seed + n })) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const [dirtyKey, dirtyValue] = [key, value].map((x) => withGarbage(x, lengths, garbage)) as [
        Tensor,
        Tensor,
      ];
      const mask = ahead ? and(causal(), padding(lengths)) : padding(lengths);
      const output = attention(query, dirtyKey, dirtyValue, { mask });
      lengths.forEach((length, b) => {
        const own = (x: Tensor) => slice(slice(x, 0, b, b + 1), 2, 0, length);
        const alone = attention(own(query), own(key), own(value), ahead ? { mask: causal() } : {});
        expect(own(output).data).toEqual(alone.data);
      });
    }),
  );
});

test("property: the class of a tile is exactly that of its pairs", () => {
  const range = fc
    .tuple(fc.integer({ min: -3, max: 8 }), fc.nat(5))
    .map(([first, more]) => ({ first, last: first + more }));
  fc.assert(
    fc.property(lengths, range, range, (lengths, query, key) => {
      const bound = padding(lengths).bind({ queryLength: 6, keyLength: 6 });
      lengths.forEach((_, b) =>
        expect(bound.tile(query, key, b, 0)).toBe(exhaustiveTileClass(bound, query, key, b)),
      );
    }),
  );
});

test("golden: equal keys have equal weights up to the length of the sequence, and a sequence of length 0 gives zeros", () => {
  const x = tensor(new Float32Array(9).fill(1), { shape: [3, 1, 3, 1] });
  const mask = padding(Int32Array.of(3, 2, 0));
  const last = slice(attentionWeights(x, x, { mask }), 2, -1).toNested();
  expect(last).toEqual([
    [[[Math.fround(1 / 3), Math.fround(1 / 3), Math.fround(1 / 3)]]],
    [[[0.5, 0.5, 0]]],
    [[[0, 0, 0]]],
  ]);
  expect(slice(attention(x, x, x, { mask }), 2, -1).toNested()).toEqual([[[[1]]], [[[1]]], [[[0]]]]);
  expect([mask.name, mask.perBatch]).toEqual(["padding([3, 2, 0])", true]);
});

test("invalid lengths, and too few lengths, are refused", () => {
  for (const wrong of [-1, 1.5, NaN]) {
    expect(() => padding([2, wrong])).toThrow(
      /`lengths` is .*, expected integer lengths in tokens, 0 or more/,
    );
  }
  const x = randn([2, 1, 3, 2], { seed: 1 });
  for (const lengths of [[3], [3, 2, 1]]) {
    expect(() => attention(x, x, x, { mask: padding(lengths) })).toThrow(
      /padding: `lengths` is "[13] in all", expected 2, one per batch element.\nFix: give one per batch element/,
    );
  }
  const one = randn([1, 1, 5, 2], { seed: 1 });
  expect(() => attention(one, one, one, { mask: and(causal(), padding([3, 4, 5])) })).toThrow(
    /padding: `lengths` is "3 in all", expected 1, one per batch element/,
  );
  // Without a query nobody knows how many batches there are.
  const bound = padding([3]).bind({ queryLength: 3, keyLength: 3 });
  expect(() => bound.sees(0, 0, 1, 0)).toThrow(
    /expected one per batch element, and there is a batch element 1/,
  );
  for (const wrong of [undefined, null, 3, "3", {}, x])
    expect(() => padding(wrong as never)).toThrow(
      /^padding: `lengths` is .*, expected a list of integer lengths in tokens/,
    );
});
