import { checkGradient, mean, mul, randn, stack, sum, zeros } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attentionResiduals } from "./attention-residuals.js";

const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });

test("property: equal scores give the mean of the layers, and the weights over layers sum to 1", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.nat(1e6), (L, seed) => {
      const layers = make([L, 2, 3, 4], seed);
      const zero = zeros([4], { dtype: "float64" });
      expect(attentionResiduals(zero, layers).output).toBeAllclose(mean(layers, { axis: 0 }), {
        rtol: 1e-12,
      });
      const { weights } = attentionResiduals(make([4], seed + 1), layers, { scale: 2 });
      for (const total of sum(weights, { axis: 0 }).data) expect(total).toBeCloseTo(1, 12);
    }),
  );
});

test("property: scaling the output of a layer does not change its weight", () => {
  const [query, a, b] = [make([4], 1), make([1, 4], 2), make([1, 4], 3)];
  const weight = (times: number) =>
    attentionResiduals(query, stack([mul(a, times), b], 0), { eps: 0 }).weights.data[0];
  expect(weight(100)).toBeCloseTo(weight(1)!, 12);
});

test("gradients of the query, the layers and the gain equal central differences", () => {
  const given = { query: make([3], 1), layers: make([3, 2, 3], 2), keyNorm: make([3], 3) };
  const dy = make([2, 3], 4);
  checkGradient(
    ({ query, layers, keyNorm }) => sum(mul(attentionResiduals(query, layers, { keyNorm }).output, dy)),
    given,
  );
});

test("a query of another width is refused", () => {
  expect(() => attentionResiduals(zeros([3]), zeros([2, 5, 4]))).toThrow(
    /attentionResiduals: `query` has shape \[3\], expected \[C\] = \[4\]/,
  );
});
