import type { Mask } from "@qkv/attention-contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { slidingWindow } from "./sliding-window.js";
import {
  windowFromFlashAttention,
  windowFromHuggingFace,
  windowFromKeras,
  windowFromSGLang,
} from "./window-from.js";
import { rowsSeen } from "@qkv/test-support/rows-seen";

const side = fc.integer({ min: 0, max: 6 });
const [T, S] = [5, 9];

/** Rows seen by a rule about the distance, query minus key. */
const byDistance = (sees: (distance: number) => boolean) =>
  Array.from({ length: T }, (_, t) =>
    Array.from({ length: S }, (_, s) => (sees(S - T + t - s) ? 1 : 0)).join(""),
  );
const rows = (mask: Mask) => rowsSeen(mask, T, S);

test("property: each converted window equals the rule of its library", () => {
  fc.assert(
    fc.property(side, side, fc.integer({ min: 1, max: 6 }), (left, right, size) => {
      const flash = windowFromFlashAttention;
      expect(rows(flash(left, right))).toEqual(byDistance((d) => -right <= d && d <= left));
      expect(rows(flash(-1, right))).toEqual(byDistance((d) => -right <= d));
      expect(rows(flash(left, -1))).toEqual(byDistance((d) => d <= left));
      expect(rows(windowFromHuggingFace(size))).toEqual(byDistance((d) => d >= 0 && d < size));
      const both = windowFromHuggingFace(size, { bidirectional: true });
      expect(rows(both)).toEqual(byDistance((d) => Math.abs(d) <= size));
      expect(rows(windowFromKeras(size))).toEqual(byDistance((d) => d >= 0 && d <= size - 1));
      expect(rows(windowFromSGLang(size))).toEqual(byDistance((d) => d >= 0 && d <= size));
      expect(rows(slidingWindow(size))).toEqual(rows(flash(size - 1, 0)));
    }),
  );
});

test("invalid sizes are refused, and the error names the function that was called", () => {
  expect(() => windowFromFlashAttention(-2, 0)).toThrow(
    /windowFromFlashAttention: `left` is -2, expected an integer number of tokens, -1 or more.\nFix: count neighbours/,
  );
  expect(() => windowFromFlashAttention(0, 0.5)).toThrow(/`right` is 0.5/);
  expect(() => windowFromHuggingFace(0)).toThrow(/windowFromHuggingFace: `size` is 0/);
  expect(() => windowFromHuggingFace(null as never)).toThrow(/where it is null the model has no window/);
  expect(() => windowFromKeras(0)).toThrow(/windowFromKeras: `size` is 0/);
  expect(() => windowFromSGLang(-1)).toThrow(/windowFromSGLang: `size` is -1/);
});
