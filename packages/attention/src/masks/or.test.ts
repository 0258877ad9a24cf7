import { expect, test } from "vitest";
import { causal } from "./causal.js";
import { keepFirst } from "./keep-first.js";
import { or } from "./or.js";
import { padding } from "./padding.js";
import { slidingWindow } from "./sliding-window.js";
import { rowsSeen } from "@qkv/test-support/rows-seen";

test("golden: a window, or the first key", () => {
  expect(rowsSeen(or(slidingWindow(2), keepFirst(1)), 4)).toEqual(["1000", "1100", "1110", "1011"]);
});

test('a tile is "all" if it is "all" in one mask, and "none" if it is "none" in every mask', () => {
  const { tile } = or(slidingWindow(2), keepFirst(2)).bind({ queryLength: 9, keyLength: 9 });
  const at = (first: number, last = first) => ({ first, last });
  expect(tile(at(6, 7), at(0, 1), 0, 0)).toBe("all");
  expect(tile(at(6, 7), at(3, 4), 0, 0)).toBe("none");
  expect(tile(at(6, 7), at(1, 2), 0, 0)).toBe("some");
});

test("it has perBatch, perHead and a name, and values that are not masks are refused", () => {
  const mask = or(causal(), padding([1]));
  expect([mask.perBatch, mask.perHead, mask.name]).toEqual([true, false, "or(causal(), padding([1]))"]);
  expect(() => or(causal(), causal as never)).toThrow(
    /or: `masks\[1\]` is the function causal, expected a mask/,
  );
});
