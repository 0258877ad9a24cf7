import { expect, test } from "vitest";
import { causal } from "./causal.js";
import { not } from "./not.js";
import { padding } from "./padding.js";
import { slidingWindow } from "./sliding-window.js";
import { rowsSeen } from "@qkv/test-support/rows-seen";

test("golden: not(causal()) shows the keys that causal() masks", () => {
  expect(rowsSeen(not(causal()), 3)).toEqual(["011", "001", "000"]);
  expect(rowsSeen(not(not(causal())), 3)).toEqual(rowsSeen(causal(), 3));
});

test('the classes "none" and "all" are swapped', () => {
  const { tile } = not(slidingWindow(2)).bind({ queryLength: 9, keyLength: 9 });
  const at = (first: number, last = first) => ({ first, last });
  expect(tile(at(6, 7), at(0, 1), 0, 0)).toBe("all");
  expect(tile(at(6), at(5, 6), 0, 0)).toBe("none");
  expect(tile(at(6), at(4, 6), 0, 0)).toBe("some");
});

test("it has perBatch, perHead and a name, and values that are not masks are refused", () => {
  const mask = not(padding([1]));
  expect([mask.perBatch, mask.perHead, mask.name]).toEqual([true, false, "not(padding([1]))"]);
  expect(() => not(undefined as never)).toThrow(/not: `mask` is undefined, expected a mask/);
});
