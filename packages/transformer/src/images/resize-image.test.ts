import { expect, test } from "vitest";
import { resizeImage } from "./resize-image.js";

/** The column or row that each pixel of a result comes from. */
function sources(from: number, to: number, axis: "width" | "height"): number[] {
  const size = { width: 1, height: 1 };
  const data = Uint8Array.from({ length: 3 * from }, (_, i) => Math.floor(i / 3));
  const resized = resizeImage({ data, ...size, [axis]: from }, { ...size, [axis]: to }, "nearest");
  return Array.from({ length: to }, (_, i) => resized.data[3 * i]!);
}

test.each(["width", "height"] as const)("nearest, along the %s: the pixels of Pillow", (axis) => {
  expect(sources(4, 2, axis)).toEqual([1, 3]);
  expect(sources(2, 4, axis)).toEqual([0, 0, 1, 1]);
  // 1/7 + 2/7 + 2/7 + 2/7 is 0.9999999999999999, where (3 + 1/2) · 2/7 is 1.
  expect(sources(2, 7, axis)).toEqual([0, 0, 0, 0, 1, 1, 1]);
  // The middle of each odd number of pixels is at the boundary of two; the sum falls on either side of it.
  const middles = Array.from({ length: 30 }, (_, n) => sources(2, 2 * n + 1, axis)[n]);
  const sums = Array.from({ length: 30 }, (_, n) => {
    const step = 2 / (2 * n + 1);
    let at = step * 0.5;
    for (let i = 0; i < n; i++) at += step;
    return at < 1 ? 0 : 1;
  });
  expect(middles).toEqual(sums);
  expect(new Set(sums).size).toBe(2);
});
