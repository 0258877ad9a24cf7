import fc from "fast-check";
import { expect, test } from "vitest";
import { checkGradient } from "../check-gradient.js";
import { arange, ones, tensor, zeros } from "../create.js";
import { grad } from "../grad.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";
import { avgPool1d, avgPool2d } from "./avg-pool.js";
import { conv1d } from "./conv1d.js";
import { conv2d } from "./conv2d.js";
import { maxPool1d, maxPool2d } from "./max-pool.js";
import { mul } from "../ops/mul.js";
import { reshape } from "../ops/reshape.js";
import { stridedSlice } from "../ops/strided-slice.js";
import { sum } from "../ops/sum.js";
import { transpose } from "../ops/transpose.js";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });
const weigh = (y: Tensor) => sum(mul(y, random([...y.shape], 99)));
const small = (max: number) => fc.integer({ min: 1, max });
type Images = number[][][][];

/** The numbers that each window of an image sees, undefined outside of it. */
function windowsOf(
  image: number[][],
  [kh, kw]: number[],
  [sh, sw]: number[],
  [ph, pw]: number[],
  dilation: number,
): (number | undefined)[][][] {
  const [H, W] = [image.length, image[0]!.length];
  const count = (length: number, k: number, s: number, p: number) =>
    Math.floor((length + 2 * p - dilation * (k! - 1) - 1) / s) + 1;
  return Array.from({ length: count(H, kh!, sh!, ph!) }, (_, r) =>
    Array.from({ length: count(W, kw!, sw!, pw!) }, (_, c) =>
      Array.from({ length: kh! * kw! }, (_, p) => {
        const row = r * sh! - ph! + dilation * Math.floor(p / kw!);
        return image[row]?.[c * sw! - pw! + dilation * (p % kw!)];
      }),
    ),
  );
}

const cases = fc
  .tuple(fc.tuple(small(3), small(3)), fc.tuple(small(3), small(3)), fc.tuple(fc.nat(2), fc.nat(2)), small(2))
  .chain(([kernel, stride, padding, dilation]) =>
    fc.record({
      kernel: fc.constant(kernel),
      stride: fc.constant(stride),
      padding: fc.constant(padding),
      dilation: fc.constant(dilation),
      size: fc.tuple(fc.integer({ min: 5, max: 8 }), fc.integer({ min: 5, max: 8 })),
      groups: small(2),
      own: small(2),
      outs: small(2),
      seed: fc.integer(),
    }),
  );

test("property: a convolution is the sum over each window, for any stride, padding, dilation and groups", () => {
  fc.assert(
    fc.property(cases, ({ kernel, stride, padding, dilation, size, groups, own, outs, seed }) => {
      const x = random([2, groups * own, ...size], seed);
      const weight = random([groups * outs, own, ...kernel], seed + 1);
      const bias = random([groups * outs], seed + 2);
      const y = conv2d(x, weight, { bias, stride, padding, dilation, groups }).toNested() as Images;
      const [images, weights] = [x.toNested() as Images, weight.toNested() as Images];
      for (const [b, channels] of images.entries()) {
        for (let o = 0; o < groups * outs; o++) {
          const first = Math.floor(o / outs) * own;
          const seen = weights[o]!.map((_, c) => {
            const image = channels[first + c]!;
            return windowsOf(image, kernel, stride, padding, dilation);
          });
          y[b]![o]!.forEach((row, r) =>
            row.forEach((value, at) => {
              let expected = bias.data[o]!;
              weights[o]!.forEach((taps, c) =>
                taps.flat().forEach((tap, p) => (expected += tap * (seen[c]![r]![at]![p] ?? 0))),
              );
              expect(value).toBeCloseTo(expected, 10);
            }),
          );
        }
      }
    }),
    { numRuns: 40 },
  );
});

test("property: pools are the maximum and the mean of each window", () => {
  const pools = cases.filter(({ kernel, padding }) => padding.every((p, i) => p <= kernel[i]! / 2));
  fc.assert(
    fc.property(pools, ({ kernel, stride, padding, size, seed }) => {
      const x = random([1, 2, ...size], seed);
      const options = { stride, padding };
      const largest = maxPool2d(x, kernel, options).toNested() as Images;
      const means = avgPool2d(x, kernel, options).toNested() as Images;
      const alone = avgPool2d(x, kernel, { ...options, countIncludePad: false }).toNested() as Images;
      for (const [c, image] of (x.toNested() as Images)[0]!.entries())
        windowsOf(image, kernel, stride, padding, 1).forEach((row, r) =>
          row.forEach((window, at) => {
            const inside = window.filter((value) => value !== undefined);
            const total = inside.reduce((a, b) => a + b, 0);
            expect(largest[0]![c]![r]![at]).toBe(Math.max(...inside));
            expect(means[0]![c]![r]![at]).toBeCloseTo(total / window.length, 12);
            expect(alone[0]![c]![r]![at]).toBeCloseTo(total / inside.length, 12);
          }),
        );
    }),
    { numRuns: 40 },
  );
});

test.each<[string, (x: Tensor) => Tensor, number[]]>([
  ["conv1d", (x) => conv1d(x, random([2, 3, 3], 2), { stride: 2, padding: 1 }), [2, 3, 6]],
  ["conv1d, its weight", (w) => conv1d(random([2, 4, 6], 2), w, { groups: 2, dilation: 2 }), [4, 2, 3]],
  ["conv2d", (x) => conv2d(x, random([2, 1, 2, 3], 2), { groups: 2, padding: "same" }), [1, 2, 4, 4]],
  ["conv2d, its weight", (w) => conv2d(random([1, 2, 5, 5], 2), w, { stride: [2, 1] }), [2, 2, 2, 2]],
  ["conv2d, its bias", (bias) => conv2d(random([1, 2, 3, 3], 2), random([3, 2, 2, 2], 3), { bias }), [3]],
  ["maxPool2d", (x) => maxPool2d(x, 3, { stride: 2, padding: 1 }), [1, 2, 5, 5]],
  ["maxPool1d", (x) => maxPool1d(x, 2, { ceilMode: true }), [2, 2, 5]],
  ["avgPool1d", (x) => avgPool1d(x, 3, { stride: 2, padding: 1 }), [2, 2, 6]],
  ["avgPool2d", (x) => avgPool2d(x, 3, { stride: 2, ceilMode: true, countIncludePad: false }), [1, 2, 6, 5]],
  ["stridedSlice", (x) => stridedSlice(x, [[1], [], [0, 5, 2]]), [3, 2, 6]],
])("the gradient of %s equals central differences, and so does the second", (_, f, shape) => {
  const x = random(shape);
  expect(() => checkGradient((z) => weigh(f(z)), x)).not.toThrow();
  const slope = (z: Tensor) => weigh(grad((y: Tensor) => weigh(mul(f(y), f(y))))(z));
  expect(() => checkGradient(slope, x, { tolerance: 1e-5 })).not.toThrow();
});

test("with ceilMode, a window that extends beyond the end reduces the elements inside, and windows completely outside are omitted", () => {
  const x = reshape(arange(5), [1, 1, 5]);
  expect(maxPool1d(x, 2).toNested()).toEqual([[[1, 3]]]);
  expect(maxPool1d(x, 2, { ceilMode: true }).toNested()).toEqual([[[1, 3, 4]]]);
  expect(maxPool1d(x, 3, { stride: 2, ceilMode: true }).toNested()).toEqual([[[2, 4]]]);
  expect(avgPool1d(x, 2, { ceilMode: true }).toNested()).toEqual([[[0.5, 2.5, 4]]]);
  expect(maxPool1d(x, 1, { stride: 3, ceilMode: true }).toNested()).toEqual([[[0, 3]]]);
  // An axis shorter than a window has one, if the step is long enough, as in PyTorch.
  expect(maxPool1d(x, 6, { ceilMode: true }).toNested()).toEqual([[[4]]]);
  expect(avgPool1d(x, 6, { stride: 2, ceilMode: true }).toNested()).toEqual([[[2]]]);
  const narrow = reshape(x, [1, 1, 5, 1]);
  expect(avgPool2d(narrow, [2, 3], { stride: 3, padding: [0, 1], ceilMode: true }).toNested()).toEqual([
    [[[Math.fround(1 / 6)], [Math.fround(7 / 6)]]],
  ]);
  expect(() => maxPool1d(x, 6, { stride: 1, ceilMode: true })).toThrow(/expected at least 6 on axis 2/);
  // If several elements are the largest, the first gets the gradient.
  const slope = grad((z: Tensor) => sum(maxPool1d(z, 2)));
  expect(slope(tensor([[[0, 0, 1, 1]]])).toNested()).toEqual([[[1, 0, 1, 0]]]);
});

test("stridedSlice: indices may count from the end, ranges may be omitted, and the result is a view", () => {
  const x = reshape(arange(24), [2, 3, 4]);
  expect(stridedSlice(x, [[], [-2], [1, -1, 2]]).toNested()).toEqual([
    [[5], [9]],
    [[17], [21]],
  ]);
  const view = stridedSlice(transpose(x), [[0], [0, 4, 3]]);
  expect(view.storage).toBe(x.storage);
  expect(view.toNested()).toEqual([
    [
      [0, 4, 8],
      [3, 7, 11],
    ],
    [
      [12, 16, 20],
      [15, 19, 23],
    ],
  ]);
  expect(stridedSlice(x, []).shape).toEqual([2, 3, 4]);
});

test("invalid arguments are refused, with the fix", () => {
  const [x, weight] = [zeros([1, 2, 4, 4]), ones([3, 2, 2, 2])];
  expect(() => conv2d(zeros([2, 4, 4]), weight)).toThrow(
    /^conv2d: `x` has shape \[2, 4, 4\], expected \[batch, channels, height, width\]/,
  );
  expect(() => conv2d(x, ones([3, 1, 2, 2]))).toThrow(
    /`weight` is "float32 \[3, 1, 2, 2\]", expected float32 \[3, 2, 2, 2\]/,
  );
  expect(() => conv2d(x, ones([3, 1, 2, 2]), { groups: 2 })).toThrow(/a multiple of 2 outputs/);
  expect(() => conv2d(x, weight, { bias: ones([2]) })).toThrow(/`bias` is "float32 \[2\]"/);
  expect(() => conv2d(x, weight, { padding: "same", stride: 2 })).toThrow(/`padding` is "same"/);
  expect(() => conv2d(x, weight, { stride: [1] })).toThrow(
    /`stride` is .*expected an integer, or a list of 2/,
  );
  expect(() => conv2d(x, weight, { dilation: 4 })).toThrow(
    /expected at least 5 on axis 3, for a window of 5/,
  );
  expect(() => conv1d(zeros([1, 1, 2]), ones([1, 1, 3]))).toThrow(/^conv1d: `x` .*at least 3 on axis 2/);
  expect(() => maxPool2d(x, 2, { padding: 2 })).toThrow(
    /`padding` is 2.*\nFix: padding is at most half a window/,
  );
  expect(() => avgPool1d(x, 2)).toThrow(/^avgPool1d: `x` .*expected \[batch, channels, length\]/);
  expect(() => avgPool2d(x, 2, { kernel: 2 } as never)).toThrow(/`kernel` is 2/);
  expect(() => stridedSlice(x, [[0, 1, -1]])).toThrow(/`stretches\[0\]\[2\]` is -1.*\nFix: `flip`/);
  expect(() => stridedSlice(zeros([2]), [[], []])).toThrow(/at most 1 stretches/);
  expect(() => stridedSlice(x, [1] as never)).toThrow(/`stretches` is 1, expected stretches/);
});
