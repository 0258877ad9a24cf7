import { attention, causal, slidingWindow, tracedAttention } from "@qkv/attention";
import { grad, mul, randn, sum, tensor, type Device, type Tensor } from "@qkv/tensor";
import { wasm } from "@qkv/wasm";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { beforeAll, describe, expect, test } from "vitest";
import { casesByTier } from "../../scripts/tier.mjs";

/** Changes some elements of the inputs, with the allowed difference between float32 and float64. */
const edges: Record<string, { put(x: number, i: number): number; tolerance: number }> = {
  denormals: { put: (x) => x * 1e-40, tolerance: 1e-5 },
  "some denormals": { put: (x, i) => (i % 3 === 0 ? x * 1e-40 : x), tolerance: 1e-5 },
  // Logits around 1e4: float32 has three digits after the decimal point.
  large: { put: (x) => x * 60, tolerance: 2e-2 },
  "very large": { put: (x, i) => (i % 7 === 0 ? x * 1e18 : x), tolerance: 1 },
  infinities: { put: (x, i) => (i % 97 === 5 ? Infinity * Math.sign(x) : x), tolerance: 1e-5 },
  NaN: { put: (x, i) => (i % 89 === 3 ? NaN : x), tolerance: 1e-5 },
  zeros: { put: (x, i) => (i % 2 === 0 ? -0 : 0) * x, tolerance: 1e-5 },
};

describe.each(casesByTier(["plain", "relaxed"] as const, (build) => build === "relaxed"))(
  "extreme values in attention on wasm,%s",
  (build) => {
    let device: Device;
    beforeAll(async () => {
      device = await wasm({ build });
    });

    test.each(Object.keys(edges))("property: %s in query, key or value, forward and backward", (name) => {
      const { put, tolerance } = edges[name]!;
      // Gradients of about 60 that cancel leave rounding errors.
      const least = name === "large" ? 1 : 1e-6;
      const near = (a: ArrayLike<number>, b: ArrayLike<number>, share: number) =>
        expect(a).toBeAllclose(b, { rtol: 0, atol: share, scaled: least, equalNan: true });
      const length = fc.constantFrom(1, 2, 65, 130);
      fc.assert(
        fc.property(length, length, fc.nat(2), fc.boolean(), fc.nat(1e6), (T, more, which, window, seed) => {
          const shape = (n: number) => [1, 2, n, 8];
          const inputs = [T, T + more, T + more].map((n, k) => {
            const x = randn(shape(n), { seed: seed + k });
            return k === which ? tensor([...x.data].map(put), { shape: x.shape }) : x;
          });
          const options = { mask: window ? slidingWindow(9) : causal() };
          const [query, key, value] = inputs as [Tensor, Tensor, Tensor];
          const [q, k, v] = inputs.map((x) => tensor(x.data, { shape: x.shape, device })) as typeof inputs;
          const expected = tracedAttention(query, key, value, options, ["lse"]);
          const got = tracedAttention(q!, k!, v!, options, ["lse"]);
          near(got.output.data, expected.output.data, tolerance);
          if (name === "very large") return;
          near(got.lse.data, expected.lse.data, tolerance);
          const slope = (all: readonly Tensor[]) => {
            const y = attention(all[0]!, all[1]!, all[2]!, options);
            return sum(mul(y, randn(y.shape, { seed, device: y.device })));
          };
          const slopes = grad(slope)(inputs);
          grad(slope)([q!, k!, v!]).forEach((x, i) => near(x.data, slopes[i]!.data, tolerance));
        }),
        { numRuns: 12 },
      );
    });
  },
);
