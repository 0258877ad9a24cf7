import fc from "fast-check";
import { expect, test } from "vitest";
import { causal } from "./causal.js";
import { dilated } from "./dilated.js";
import { or } from "./or.js";
import { slidingWindow } from "./sliding-window.js";
import { strided } from "./strided.js";
import { rowsSeen } from "@qkv/test-support/rows-seen";

test("property: it equals a window combined with every stride-th key, and a stride of 1 equals causal()", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), (stride) => {
      const both = or(slidingWindow(stride), dilated(12, stride));
      expect(rowsSeen(strided(stride), 12)).toEqual(rowsSeen(both, 12));
      expect(rowsSeen(strided(1), 12)).toEqual(rowsSeen(causal(), 12));
    }),
  );
});

test("golden: a stride of three", () => {
  expect(rowsSeen(strided(3), 3, 8)).toEqual(["00111100", "10011110", "01001111"]);
});

test("an invalid stride is refused, with the fix", () => {
  for (const wrong of [0, 2.5, Infinity]) {
    expect(() => strided(wrong)).toThrow(
      /strided: `stride` is .*, expected an integer number of tokens, 1 or more.\nFix: choose about the square root/,
    );
  }
});
