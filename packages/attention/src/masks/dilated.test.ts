import fc from "fast-check";
import { expect, test } from "vitest";
import { dilated } from "./dilated.js";
import { slidingWindow } from "./sliding-window.js";
import { rowsSeen } from "@qkv/test-support/rows-seen";

const size = fc.integer({ min: 1, max: 6 });

test("property: with dilation 1 it equals the sliding window, and a query that is far enough from the start sees windowSize keys", () => {
  fc.assert(
    fc.property(size, size, (windowSize, dilation) => {
      expect(rowsSeen(dilated(windowSize, 1), 8)).toEqual(rowsSeen(slidingWindow(windowSize), 8));
      const S = windowSize * dilation + 1;
      const [row] = rowsSeen(dilated(windowSize, dilation), 1, S);
      expect(row!.replaceAll("0", "")).toBe("1".repeat(windowSize));
    }),
  );
});

test("golden: a window of three keys with dilation 2", () => {
  expect(rowsSeen(dilated(3, 2), 7)).toEqual([
    "1000000",
    "0100000",
    "1010000",
    "0101000",
    "1010100",
    "0101010",
    "0010101",
  ]);
  expect(dilated(3, 2).name).toBe("dilated(3, 2)");
});

test("invalid sizes are refused, with the fix", () => {
  expect(() => dilated(0, 1)).toThrow(
    /dilated: `windowSize` is 0, expected an integer number of tokens, 1 or more.\nFix: dilated\(4, 2\) sees/,
  );
  expect(() => dilated(2, 1.5)).toThrow(/`dilation` is 1.5/);
});
