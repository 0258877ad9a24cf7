import { cast, checkGradient, mapTensors, mul, randn, sum, take, tensor, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { crossAttention } from "./cross-attention.js";
import { groupedQuery } from "./grouped-query.js";
import { multiHead } from "./multi-head.js";
import { causal } from "../masks/causal.js";
import { padding } from "../masks/padding.js";

const size = fc.integer({ min: 1, max: 5 });
const seed = fc.nat(1000);

test("property: with x as the context, cross-attention equals self-attention, bit for bit", () => {
  fc.assert(
    fc.property(size, seed, (T, seed) => {
      const config = { embedDim: 6, numHeads: 2, mask: causal(), bias: true };
      const [cross, self] = [crossAttention(config), multiHead(config)];
      const [params, x] = [cross.init(seed), randn([2, T, 6], { seed: seed + 1 })];
      expect(cross.apply(params, x, x).data).toEqual(self.apply(self.init(seed), x).data);
    }),
  );
});

test("property: permuting the context changes nothing, and padding is never read", () => {
  fc.assert(
    fc.property(size, size, seed, (T, S, seed) => {
      const layer = crossAttention({ embedDim: 4, contextDim: 3, numHeads: 2, numKvHeads: 1 });
      const params = layer.init(seed);
      const [x, context] = [randn([1, T, 4], { seed }), randn([1, S, 3], { seed: seed + 1 })];
      const places = (list: number[]) => take(context, 1, tensor(list, { dtype: "int32" }));
      const order = Array.from({ length: S }, (_, s) => S - 1 - s);
      const plain = layer.apply(params, x, context).data;
      expect(layer.apply(params, x, places(order)).data).toBeAllclose(plain, { rtol: 0, atol: 5e-6 });
      const bad = take(
        tensor([...context.data, NaN, NaN, NaN], { shape: [1, S + 1, 3] }),
        1,
        tensor([...order.reverse(), S], { dtype: "int32" }),
      );
      const padded = crossAttention({ ...layer.config, mask: padding([S]) });
      expect(padded.apply(params, x, bad).data).toEqual(plain);
    }),
  );
});

test("property: a context that is projected once gives the same as one projected in each call, bit for bit", () => {
  fc.assert(
    fc.property(size, size, seed, (T, S, seed) => {
      const layer = crossAttention({ embedDim: 4, contextDim: 3, numHeads: 2 });
      const params = layer.init(seed);
      const [x, context] = [randn([2, T, 4], { seed }), randn([2, S, 3], { seed: seed + 1 })];
      const kept = layer.keyValues(params, context);
      expect(layer.apply(params, x, kept).data).toEqual(layer.apply(params, x, context).data);
      const grouped = groupedQuery({ embedDim: 4, contextDim: 3, numHeads: 2, numKvHeads: 2 });
      expect(grouped.apply(params, x, { context }).data).toEqual(layer.apply(params, x, kept).data);
    }),
  );
});

test("golden: for two context tokens with equal scores, the output is their mean", () => {
  const layer = crossAttention({ embedDim: 1, contextDim: 2, numHeads: 1 });
  const sumOf = { weight: tensor([[1, 1]]) };
  const params = {
    query: { weight: tensor([[0]]) },
    key: sumOf,
    value: sumOf,
    output: { weight: tensor([[2]]) },
  };
  const tensors: Record<string, Tensor> = {};
  const trace = { names: ["weights"] as const, tensors };
  expect(
    layer
      .apply(
        params,
        tensor([[[7]]]),
        tensor([
          [
            [1, 2],
            [3, 4],
          ],
        ]),
        { trace },
      )
      .toNested(),
  ).toEqual([[[10]]]);
  expect(tensors["weights"]!.toNested()).toEqual([[[[0.5, 0.5]]]]);
});

test("gradients of x, the context and every weight equal central differences", () => {
  const f64 = (x: Tensor) => cast(x, "float64");
  const layer = crossAttention({ embedDim: 4, contextDim: 3, numHeads: 2, bias: true });
  const given = mapTensors(
    { params: layer.init(1), x: randn([1, 2, 4], { seed: 2 }), context: randn([1, 3, 3], { seed: 3 }) },
    f64,
  );
  const dy = f64(randn([1, 2, 4], { seed: 4 }));
  checkGradient(({ params, x, context }) => sum(mul(layer.apply(params, x, context), dy)), given);
});

test("a missing context is refused with the fix", () => {
  const layer = crossAttention({ embedDim: 4, numHeads: 2 });
  expect(() => layer.apply(layer.init(1), randn([1, 2, 4], { seed: 1 }), undefined as never)).toThrow(
    /crossAttention: `context` is undefined.*\nFix: give the sequence to attend to/,
  );
  expect(() => crossAttention({ embedDim: 4, numHeads: 2, numKvHeads: 3 })).toThrow(/`numKvHeads` is 3/);
});
