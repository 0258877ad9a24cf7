import { mul, randn, reshape, sigmoid, sub, tensor, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { tracedAttention } from "../attention.js";
import { groupedQuery } from "./grouped-query.js";
import { learnedSinks } from "./learned-sinks.js";
import { multiHead } from "./multi-head.js";
import { softmaxOne } from "./softmax-one.js";
import { causal } from "../masks/causal.js";

const seed = fc.nat(1000);
const config = { embedDim: 8, numHeads: 4, numKvHeads: 2, mask: causal() };

test("property: with a sink logit b, the output of a head is o · σ(lse − b)", () => {
  fc.assert(
    fc.property(seed, (seed) => {
      const [q, k, v] = [0, 1, 2].map((n) => randn([1, 4, 3, 2], { seed: seed + n })) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const logits = randn([4], { seed: seed + 3 });
      const plain = tracedAttention(q, k, v, { mask: causal() }, ["lse"]);
      const sinks = learnedSinks().logits(logits, q);
      const share = sigmoid(sub(plain.lse, reshape(logits, [4, 1])));
      const { output } = tracedAttention(q, k, v, { mask: causal(), sinks }, []);
      expect(output).toBeAllclose(mul(plain.output, reshape(share, [1, 4, 3, 1])), { rtol: 0, atol: 5e-6 });
    }),
  );
});

test("property: very low logits give the layer without sinks, bit for bit, and logits of 0 give softmaxOne", () => {
  fc.assert(
    fc.property(seed, (seed) => {
      const layer = groupedQuery({ ...config, sinks: learnedSinks() });
      const [params, x] = [layer.init(seed), randn([2, 3, 8], { seed: seed + 1 })];
      const low = { ...params, sinks: tensor([-1e9, -1e9, -Infinity, -1e9]) };
      expect(layer.apply(low, x).data).toEqual(groupedQuery(config).apply(params, x).data);
      const offByOne = groupedQuery({ ...config, sinks: softmaxOne() });
      expect(offByOne.init(seed).sinks).toBeUndefined();
      expect(layer.apply(params, x).data).toEqual(offByOne.apply(offByOne.init(seed), x).data);
    }),
  );
});

test("golden: a key and a sink with equal logits have weight ½ each, so the output is half of the value", () => {
  const layer = multiHead({ embedDim: 1, numHeads: 1, sinks: learnedSinks() });
  const one = { weight: tensor([[1]]) };
  const params = { query: { weight: tensor([[0]]) }, key: one, value: one, output: one };
  const x = tensor([[[8]]]);
  expect(layer.apply({ ...params, sinks: tensor([0]) }, x).toNested()).toEqual([[[4]]]);
  expect(layer.apply({ ...params, sinks: tensor([Math.log(3)]) }, x).data[0]).toBeCloseTo(2, 6);
});

test("a layer without its logits is refused with the fix", () => {
  const layer = groupedQuery({ ...config, sinks: learnedSinks() });
  const { sinks: _, ...without } = layer.init(1);
  expect(() => layer.apply(without, randn([1, 2, 8], { seed: 1 }))).toThrow(
    /learnedSinks: `params.sinks` is undefined, expected a tensor \[H\].*\nFix: take the params/,
  );
  expect(() => layer.apply({ ...without, sinks: tensor([0]) }, randn([1, 2, 8], { seed: 1 }))).toThrow(
    /`sinks` has shape \[1\], expected \[4\]: one logit for each query head/,
  );
});
