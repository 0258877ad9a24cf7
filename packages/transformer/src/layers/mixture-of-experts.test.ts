import { checkGradient, mapTensors, cast, mul, randn, sum, tensor, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { feedForward } from "./feed-forward.js";
import { mixtureOfExperts } from "./mixture-of-experts.js";

const sizes = { embedDim: 4, hiddenDim: 6 };
const config = { ...sizes, numExperts: 5, expertsPerToken: 2 };
const layer = mixtureOfExperts(config);
const params = layer.init(1);
const x = randn([2, 7, 4], { seed: 2 });

test("each token is the mixture of the experts that the router scores highest, spelled out", () => {
  const inner = feedForward(sizes);
  for (const normTopKProb of [true, false]) {
    const y = mixtureOfExperts({ ...config, normTopKProb }).apply(params, x);
    expect(y.shape).toEqual(x.shape);
    for (let n = 0; n < 14; n++) {
      const row = Array.from(x.data.slice(4 * n, 4 * n + 4));
      const scores = Array.from({ length: 5 }, (_, e) =>
        row.reduce((dot, v, c) => dot + v * params.router.weight.data[4 * e + c]!, 0),
      );
      const powers = scores.map(Math.exp);
      const best = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!).slice(0, 2);
      const total = (normTopKProb ? best.map((e) => powers[e]!) : powers).reduce((a, b) => a + b);
      const expected = [0, 0, 0, 0];
      for (const e of best) {
        const out = inner.apply(params.experts[e]!, tensor(row, { shape: [1, 4] })).data;
        expected.forEach((_, c) => (expected[c]! += (powers[e]! / total) * out[c]!));
      }
      expect(y.data.slice(4 * n, 4 * n + 4)).toBeAllclose(expected, { rtol: 0, atol: 5e-6 });
    }
  }
});

test("one expert of one is a feed-forward layer", () => {
  const single = mixtureOfExperts({ ...sizes, numExperts: 1, expertsPerToken: 1 });
  const weights = single.init(3);
  const plain = feedForward(sizes).apply(weights.experts[0]!, x).data;
  expect(single.apply(weights, x).data).toBeAllclose(plain, { rtol: 0, atol: 5e-7 });
});

test("its gradient is that of differences, to experts, router and input", () => {
  const wide = mapTensors({ params, x }, (t: Tensor) => cast(t, "float64"));
  const dy = randn([2, 7, 4], { seed: 5, dtype: "float64" });
  checkGradient(({ params, x }: typeof wide) => sum(mul(layer.apply(params, x), dy)), wide);
});

test("experts and router are drawn apart", () => {
  const firsts = [...params.experts.map(({ up }) => up), params.router].map(({ weight }) => weight.data[0]);
  expect(new Set(firsts).size).toBe(6);
});

test("more experts for a token than there are is refused", () => {
  expect(() => mixtureOfExperts({ ...config, expertsPerToken: 6 })).toThrow(
    /mixtureOfExperts: `expertsPerToken` is 6, expected a whole number from 1 to numExperts = 5/,
  );
});
