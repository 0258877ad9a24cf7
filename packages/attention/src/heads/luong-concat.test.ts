import {
  cast,
  checkGradient,
  concat,
  mapTensors,
  mul,
  randn,
  slice,
  sum,
  tensor,
  type Tensor,
} from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { additive } from "./additive.js";
import { luongConcat } from "./luong-concat.js";
import { causal } from "../masks/causal.js";

const size = fc.integer({ min: 1, max: 4 });
const seed = fc.nat(1000);
const inputs = (T: number, S: number, seed: number) =>
  [
    randn([2, T, 2], { seed }),
    randn([2, S, 3], { seed: seed + 1 }),
    randn([2, S, 2], { seed: seed + 2 }),
  ] as const;

test("property: with W = [W_q | U_k] it equals additive attention, bit for bit", () => {
  fc.assert(
    fc.property(size, size, size, seed, (T, S, A, seed) => {
      const widths = { queryDim: 2, keyDim: 3, hiddenDim: A };
      const parts = additive(widths).init(seed);
      const hidden = { weight: concat([parts.query.weight, parts.key.weight], 1) };
      const given = inputs(T, S, seed);
      expect(luongConcat(widths).apply({ hidden, score: parts.score }, ...given).data).toEqual(
        additive(widths).apply(parts, ...given).data,
      );
    }),
  );
});

test("property: the score is vᵀ tanh(W [q; k]) of the concatenated rows", () => {
  fc.assert(
    fc.property(size, size, size, seed, (T, S, A, seed) => {
      const layer = luongConcat({ queryDim: 2, keyDim: 3, hiddenDim: A });
      const params = {
        ...layer.init(seed),
        hidden: { ...layer.init(seed).hidden, bias: randn([A], { seed }) },
      };
      const [query, key, value] = inputs(T, S, seed);
      const tensors: Record<string, Tensor> = {};
      layer.apply(params, query, key, value, { trace: { names: ["scores"], tensors } });
      const W = params.hidden.weight.toNested() as number[][];
      const rows = (x: Tensor, b: number) => slice(x, 0, b, b + 1).toNested() as number[][][];
      const expected = [0, 1].flatMap((b) =>
        rows(query, b)[0]!.flatMap((q) =>
          rows(key, b)[0]!.map((k) =>
            W.reduce((total, row, a) => {
              const met = [...q, ...k].reduce((sum, x, i) => sum + row[i]! * x, params.hidden.bias.data[a]!);
              return total + params.score.weight.data[a]! * Math.tanh(met);
            }, 0),
          ),
        ),
      );
      expect(tensors["scores"]!.shape).toEqual([2, 1, T, S]);
      expect(tensors["scores"]!.data).toBeAllclose(expected, { rtol: 0, atol: 5e-6 });
    }),
  );
});

test("golden: computed by hand", () => {
  // v tanh(1 · q + 2 · k) with q = 1: 3 tanh(1) and 3 tanh(-1), so the weights are σ(±6 tanh 1).
  const layer = luongConcat({ queryDim: 1, keyDim: 1, hiddenDim: 1 });
  const params = { hidden: { weight: tensor([[1, 2]]) }, score: { weight: tensor([[3]]) } };
  const output = layer.apply(params, tensor([[[1]]]), tensor([[[0], [-1]]]), tensor([[[1], [0]]]));
  expect(output.data[0]).toBeCloseTo(1 / (1 + Math.exp(-6 * Math.tanh(1))), 6);
});

test("gradients of inputs and weights equal central differences, under a mask", () => {
  const layer = luongConcat({ queryDim: 2, keyDim: 3, hiddenDim: 2 });
  const [query, key, value] = inputs(2, 3, 1);
  const given = mapTensors({ params: layer.init(1), query, key, value }, (x: Tensor) => cast(x, "float64"));
  const dy = randn([2, 2, 2], { seed: 9, dtype: "float64" });
  checkGradient(
    ({ params, query, key, value }) =>
      sum(mul(layer.apply(params, query, key, value, { mask: causal() }), dy)),
    given,
  );
});

test("widths that do not fit are refused with the fix", () => {
  expect(() => luongConcat({ queryDim: 1, keyDim: 1, hiddenDim: -2 })).toThrow(
    /luongConcat: `hiddenDim` is -2/,
  );
  const layer = luongConcat({ queryDim: 2, keyDim: 3, hiddenDim: 4 });
  const [query, key, value] = inputs(1, 1, 1);
  expect(layer.init(1).hidden.weight.shape).toEqual([4, 5]);
  expect(() => layer.apply(layer.init(1), key, key, value)).toThrow(
    /`query` has shape .*, expected \[B, T, 2\]/,
  );
  expect(() => layer.apply(layer.init(1), query, query, value)).toThrow(
    /`key` has shape .*, expected \[B, S, 3\]/,
  );
});
