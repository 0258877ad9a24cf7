import { randn } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { and } from "./and.js";
import { causal } from "./causal.js";
import { keepFirst } from "./keep-first.js";
import { or } from "./or.js";
import { slidingWindow } from "./sliding-window.js";
import { rowsSeen } from "@qkv/test-support/rows-seen";

const size = fc.integer({ min: 1, max: 8 });
const streaming = (kept: number, window: number) => and(causal(), or(keepFirst(kept), slidingWindow(window)));

test("property: with count 0 the combination equals the window, and with a large count causal attention", () => {
  fc.assert(
    fc.property(size, size, fc.nat(8), (T, window, kept) => {
      const x = randn([1, 2, T, 3], { seed: T });
      const of = (mask = causal()) => attention(x, x, x, { mask }).data;
      expect(of(streaming(0, window))).toEqual(of(slidingWindow(window)));
      if (kept + window >= T) expect(of(streaming(kept, window))).toEqual(of());
    }),
  );
});

test("golden: keepFirst(1) and a window of two", () => {
  expect(rowsSeen(streaming(1, 2), 5)).toEqual(["10000", "11000", "11100", "10110", "10011"]);
  expect(rowsSeen(keepFirst(2), 1, 4)).toEqual(["1100"]);
  expect(keepFirst(2).name).toBe("keepFirst(2)");
});

test("invalid counts are refused, with the fix", () => {
  for (const wrong of [-1, 0.5, NaN, Infinity]) {
    expect(() => keepFirst(wrong)).toThrow(
      /keepFirst: `count` is .*, expected an integer number of tokens, 0 or more.\nFix: count the tokens at the start/,
    );
  }
});
