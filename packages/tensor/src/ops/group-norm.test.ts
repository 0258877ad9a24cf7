import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { checkGradient } from "../check-gradient.js";
import { ones, zeros } from "../create.js";
import { randn } from "../random/randn.js";
import { groupNorm } from "./group-norm.js";
import { layerNorm } from "./layer-norm.js";
import { mul } from "./mul.js";
import { slice } from "./slice-and-pad.js";
import { sum } from "./sum.js";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });

test("property: each group of channels is normalized by its own mean and variance", () => {
  const sizes = fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 3 }),
  );
  fc.assert(
    fc.property(sizes, fc.integer(), ([groups, each, B], seed) => {
      const x = random([B, groups * each, 2, 3], seed);
      const y = groupNorm(x, groups);
      for (let g = 0; g < groups; g++) {
        const [own, whole] = [y, x].map((z) => slice(z, 1, g * each, (g + 1) * each)) as [typeof x, typeof x];
        expect(own).toBeAllclose(layerNorm(whole, undefined, undefined, { axis: 1 }), {
          rtol: 0,
          atol: 1e-12,
        });
      }
    }),
  );
});

test("a weight and a bias for each channel, one of them or both", () => {
  const x = random([2, 4, 3]);
  const [weight, bias] = [random([4], 2), random([4], 3)];
  const y = groupNorm(x, 2, weight, bias, { eps: 0.1 }).data;
  const normal = groupNorm(x, 2, undefined, undefined, { eps: 0.1 }).data;
  y.forEach((value, i) => {
    const channel = Math.floor(i / 3) % 4;
    expect(value).toBeCloseTo(normal[i]! * weight.data[channel]! + bias.data[channel]!, 12);
  });
  expect(groupNorm(x, 2, undefined, bias).data[0]).toBeCloseTo(groupNorm(x, 2).data[0]! + bias.data[0]!, 12);
});

test("gradients of all three inputs equal central differences", () => {
  const all = { x: random([2, 4, 3]), weight: random([4], 2), bias: random([4], 3) };
  const f = ({ x, weight, bias }: typeof all) =>
    sum(mul(groupNorm(x, 2, weight, bias), random([2, 4, 3], 9)));
  expect(() => checkGradient(f, all)).not.toThrow();
});

test("invalid arguments are refused, with the fix", () => {
  expect(() => groupNorm(zeros([2, 4]), 3)).toThrow(
    /`x` has shape \[2, 4\], expected \[batch, channels, …\] with a multiple of 3 channels.\nFix: channels/,
  );
  expect(() => groupNorm(zeros([4]), 2)).toThrow(/expected \[batch, channels/);
  expect(() => groupNorm(zeros([2, 4]), 0)).toThrow(/`numGroups` is 0/);
  expect(() => groupNorm(zeros([2, 4]), 2, ones([2]))).toThrow(
    /groupNorm: `weight` is "float32 \[2\]", expected float32 \[4\]/,
  );
  expect(() => groupNorm(zeros([2, 4]), 2, undefined, ones([4], { dtype: "float64" }))).toThrow(/`bias`/);
});
