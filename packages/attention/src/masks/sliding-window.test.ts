import { randn, slice, tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention, attentionWeights } from "../attention.js";
import { causal } from "./causal.js";
import { slidingWindow } from "./sliding-window.js";
import { exhaustiveTileClass } from "@qkv/test-support/exhaustive-tile-class";

const size = fc.integer({ min: 1, max: 8 });
const seed = fc.nat(1000);
const range = fc
  .tuple(fc.integer({ min: -8, max: 8 }), fc.nat(5))
  .map(([first, more]) => ({ first, last: first + more }));

test("property: a weight is positive exactly inside the window", () => {
  fc.assert(
    fc.property(size, size, seed, (T, windowSize, seed) => {
      const x = randn([1, 1, T, 4], { seed });
      attentionWeights(x, x, { mask: slidingWindow(windowSize) }).data.forEach((weight, i) => {
        const distance = Math.floor(i / T) - (i % T); // query position minus key position
        expect(weight > 0).toBe(distance >= 0 && distance < windowSize);
      });
    }),
  );
});

test("property: a window as long as the sequence equals causal attention, and a window of 1 gives the values", () => {
  fc.assert(
    fc.property(size, fc.nat(3), seed, (T, more, seed) => {
      const make = (n: number) => randn([1, 2, T, 4], { seed: seed + n });
      const [query, key, value] = [make(0), make(1), make(2)];
      const full = attention(query, key, value, { mask: causal() }).data;
      for (const windowSize of [T + more, Infinity]) {
        expect(attention(query, key, value, { mask: slidingWindow(windowSize) }).data).toEqual(full);
      }
      expect(attention(query, key, value, { mask: slidingWindow(1) }).data).toEqual(value.data);
    }),
  );
});

test("property: decoding the last token gives the last row of the full pass", () => {
  fc.assert(
    fc.property(size, size, size, seed, (T, D, windowSize, seed) => {
      const x = randn([1, 1, T, D], { seed });
      const mask = slidingWindow(windowSize);
      const last = attention(slice(x, 2, -1), x, x, { mask }).data;
      expect(last).toEqual(attention(x, x, x, { mask }).data.slice(-D));
    }),
  );
});

test("property: the class of a tile is exactly that of its pairs", () => {
  const bind = (windowSize: number) => slidingWindow(windowSize).bind({ queryLength: 4, keyLength: 9 });
  fc.assert(
    fc.property(fc.oneof(size, fc.constant(Infinity)), range, range, (windowSize, query, key) => {
      expect(bind(windowSize).tile(query, key, 0, 0)).toBe(exhaustiveTileClass(bind(windowSize), query, key));
    }),
  );
});

test("golden: one query, two keys", () => {
  // By hand: dots [2, 0], times 1/sqrt(4) = [1, 0], softmax = [0.731059, 0.268941].
  const query = tensor([2, 0, 0, 0], { shape: [1, 1, 1, 4] });
  const key = tensor([1, 0, 0, 0, 0, 1, 0, 0], { shape: [1, 1, 2, 4] });
  const { data } = attentionWeights(query, key, { mask: slidingWindow(2) });
  expect(data[0]).toBeCloseTo(0.731059, 6);
  expect(data[1]).toBeCloseTo(0.268941, 6);
});

test("a window of no tokens is refused, with the fix", () => {
  expect(() => slidingWindow(0)).toThrow(/`windowSize` is 0.*\nFix: count the query itself/);
  for (const wrong of [-1, 1.5, NaN, -Infinity]) expect(() => slidingWindow(wrong)).toThrow(/an integer/);
});

test("property: a two-sided window shows the given number of neighbours on each side, and `before` alone equals a plain window", () => {
  const side = fc.oneof(fc.nat(6), fc.constant(Infinity));
  fc.assert(
    fc.property(size, side, side, (T, before, after) => {
      const x = randn([1, 1, T, 4], { seed: T });
      const { data } = attentionWeights(x, x, { mask: slidingWindow({ before, after }) });
      data.forEach((weight, i) => {
        const distance = Math.floor(i / T) - (i % T);
        expect(weight > 0).toBe(distance <= before && -distance <= after);
      });
      const [sided, plain] = [slidingWindow({ before }), slidingWindow(before + 1)];
      expect(attention(x, x, x, { mask: sided }).data).toEqual(attention(x, x, x, { mask: plain }).data);
    }),
  );
  expect(slidingWindow({ before: 2 }).name).toBe("slidingWindow({ before: 2, after: 0 })");
});

test("invalid sides are refused, with the fix", () => {
  expect(() => slidingWindow({ before: -1, after: 0 })).toThrow(
    /slidingWindow: `before` is -1, expected an integer number of tokens, 0 or more.\nFix: count neighbours/,
  );
  expect(() => slidingWindow({ before: 1, after: 0.5 })).toThrow(/`after` is 0.5/);
});
