import { cast, checkGradient, concat, mul, randn, sum, zeros, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { attention } from "../attention.js";
import { multiHead } from "./multi-head.js";
import { softmaxOne } from "./softmax-one.js";

const seed = fc.nat(1000);
const f64 = (x: Tensor) => cast(x, "float64");

test("property: it equals attention with one more key and value of zeros", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), seed, (S, seed) => {
      const q = randn([1, 2, 2, 3], { seed });
      const [k, v] = [1, 2].map((n) => randn([1, 2, S, 3], { seed: seed + n })) as [Tensor, Tensor];
      const zero = zeros([1, 2, 1, 3]);
      const sinks = softmaxOne().logits(undefined, q);
      const expected = attention(q, concat([k, zero], 2), concat([v, zero], 2)).data;
      expect(attention(q, k, v, { sinks }).data).toBeAllclose(expected, { rtol: 0, atol: 5e-7 });
    }),
  );
});

test("golden: with three keys of score 0, the output is 3/4 of the mean of the values", () => {
  const layer = multiHead({ embedDim: 2, numHeads: 1, sinks: softmaxOne() });
  const params = layer.init(1);
  const zeroQueries = { ...params, query: { weight: mul(params.query.weight, 0) } }; // all scores are 0
  const x = randn([1, 3, 2], { seed: 1 });
  const plain = multiHead({ embedDim: 2, numHeads: 1 }).apply(zeroQueries, x).data;
  expect(layer.apply(zeroQueries, x).data).toBeAllclose(
    plain.map((x) => 0.75 * x),
    { rtol: 0, atol: 5e-7 },
  );
});

test("gradients equal central differences, for a query in float64", () => {
  const x = f64(randn([1, 1, 3, 2], { seed: 1 }));
  const dy = f64(randn([1, 1, 3, 2], { seed: 2 }));
  const sinks = softmaxOne();
  checkGradient((x) => sum(mul(attention(x, x, x, { sinks: sinks.logits(undefined, x) }), dy)), x);
});
