import {
  cast,
  checkGradient,
  mapTensors,
  mean,
  mul,
  randn,
  slice,
  sum,
  take,
  tensor,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { additive } from "./additive.js";
import { causal } from "../masks/causal.js";
import { padding } from "../masks/padding.js";

const size = fc.integer({ min: 1, max: 5 });
const cases = fc.record({ T: size, S: size, A: size, seed: fc.nat(1000) }).map(({ T, S, A, seed }) => {
  const layer = additive({ queryDim: 2, keyDim: 3, hiddenDim: A });
  return {
    layer,
    params: layer.init(seed),
    query: randn([2, T, 2], { seed: seed + 1 }),
    key: randn([2, S, 3], { seed: seed + 2 }),
    value: randn([2, S, 4], { seed: seed + 3 }),
  };
});

test("property: the output equals the formula, computed in plain float64", () => {
  fc.assert(
    fc.property(cases, ({ layer, params, query, key, value }) => {
      type Rank2 = number[][];
      const nested = <R>(x: Tensor) => x.toNested() as R;
      const [W, U, v] = [params.query, params.key, params.score].map(({ weight }) => nested<Rank2>(weight));
      const apply = (w: Rank2, row: number[]) =>
        w.map((r) => r.reduce((total, x, i) => total + x * row[i]!, 0));
      const expected = nested<Rank2[]>(query).flatMap((rows, b) =>
        rows.flatMap((q) => {
          const powers = nested<Rank2[]>(key)[b]!.map((k) => {
            const [a, c] = [apply(W!, q), apply(U!, k)];
            return Math.exp(v![0]!.reduce((total, x, i) => total + x * Math.tanh(a[i]! + c[i]!), 0));
          });
          const total = powers.reduce((a, b) => a + b, 0);
          const values = nested<Rank2[]>(value)[b]!;
          return [0, 1, 2, 3].map((d) => powers.reduce((s, p, n) => s + (p / total) * values[n]![d]!, 0));
        }),
      );
      expect(layer.apply(params, query, key, value)).toBeAllclose(expected, { rtol: 0, atol: 5e-6 });
    }),
  );
});

test("property: with v = 0 all weights are equal, so the output is the mean of the values", () => {
  fc.assert(
    fc.property(cases, ({ layer, params, query, key, value }) => {
      const still = { ...params, score: { weight: mul(params.score.weight, 0) } };
      const tensors: Record<string, Tensor> = {};
      const trace = { names: ["weights"] as const, tensors };
      const output = layer.apply(still, query, key, value, { trace });
      const [T, S] = [query.shape[1]!, key.shape[1]!];
      expect(tensors["weights"]!.shape).toEqual([2, 1, T, S]);
      expect(tensors["weights"]!.data).toBeAllclose(new Array<number>(2 * T * S).fill(1 / S), {
        rtol: 0,
        atol: 5e-7,
      });
      const means = mean(value, { axis: 1 });
      expect(slice(output, 1, 0, 1)).toBeAllclose(means.data, { rtol: 0, atol: 5e-6 });
    }),
  );
});

test("property: the order of keys and their values does not matter", () => {
  fc.assert(
    fc.property(cases, ({ layer, params, query, key, value }) => {
      const S = key.shape[1]!;
      const order = tensor(Array.from({ length: S }, (_, s) => (s + 2) % S).reverse(), { dtype: "int32" });
      const shuffled = layer.apply(params, query, take(key, 1, order), take(value, 1, order));
      expect(shuffled).toBeAllclose(layer.apply(params, query, key, value).data, { rtol: 0, atol: 5e-6 });
    }),
  );
});

test("property: keys that are projected once give the same as projecting them in each call, bit for bit", () => {
  fc.assert(
    fc.property(cases, ({ layer, params, query, key, value }) => {
      const kept = layer.projectKeys(params, key);
      expect(kept.shape).toEqual([2, key.shape[1]!, layer.config.hiddenDim]);
      const all = layer.apply(params, query, key, value);
      for (let t = 0; t < query.shape[1]!; t++) {
        const one = layer.attend(params, slice(query, 1, t, t + 1), kept, value);
        expect(one.toNested()).toEqual(slice(all, 1, t, t + 1).toNested());
      }
    }),
  );
});

test("property: masked keys are not read, even if they contain NaN", () => {
  fc.assert(
    fc.property(cases, fc.constantFrom(NaN, Infinity), ({ layer, params, query, key, value }, bad) => {
      const S = key.shape[1]!;
      const extended = (x: Tensor) => {
        const rows = x.toNested() as number[][][];
        return tensor(
          rows.map((batch) => [...batch, x.shape[2]! === 3 ? [bad, bad, bad] : [bad, bad, bad, bad]]),
        );
      };
      const mask = padding([S, S]);
      const padded = layer.apply(params, query, extended(key), extended(value), { mask });
      expect(padded.data).toEqual(layer.apply(params, query, key, value).data);
    }),
  );
});

test("golden: one query, two keys, by hand; causal masks the second", () => {
  // Scores: 2 · tanh(0 + 0) = 0, and 2 · tanh(1) = 1.523188; softmax = [0.178991, 0.821009].
  const layer = additive({ queryDim: 1, keyDim: 1, hiddenDim: 1 });
  const params = {
    query: { weight: tensor([[1]]) },
    key: { weight: tensor([[1]]) },
    score: { weight: tensor([[2]]) },
  };
  const [query, key, value] = [zeros([1, 1, 1]), tensor([[[0], [1]]]), tensor([[[10], [20]]])];
  expect(layer.apply(params, query, key, value).data[0]).toBeCloseTo(10 * 0.178991 + 20 * 0.821009, 4);
  const first = causal({ align: "top-left" });
  expect(layer.apply(params, query, key, value, { mask: first }).data[0]).toBe(10);
});

test("gradients of query, key, value and every weight equal central differences, under a mask", () => {
  const layer = additive({ queryDim: 2, keyDim: 3, hiddenDim: 2 });
  const given = mapTensors(
    {
      params: layer.init(1),
      query: randn([1, 2, 2], { seed: 2 }),
      key: randn([1, 3, 3], { seed: 3 }),
      value: randn([1, 3, 2], { seed: 4 }),
    },
    (x: Tensor) => cast(x, "float64"),
  );
  const dy = randn([1, 2, 2], { seed: 5, dtype: "float64" });
  checkGradient(
    ({ params, query, key, value }) =>
      sum(mul(layer.apply(params, query, key, value, { mask: causal() }), dy)),
    given,
  );
});

test("init: all matrices differ, and their variance is 1 / fan-in", () => {
  const { query, key, score } = additive({ queryDim: 40, keyDim: 60, hiddenDim: 50 }).init(3);
  expect([query, key, score].map(({ weight }) => weight.shape)).toEqual([
    [50, 40],
    [50, 60],
    [1, 50],
  ]);
  for (const { weight } of [query, key]) {
    const variance = sum(mul(weight, weight)).data[0]! / weight.data.length;
    expect(variance * weight.shape[1]!).toBeGreaterThan(0.9);
    expect(variance * weight.shape[1]!).toBeLessThan(1.1);
  }
  expect(new Set([query, key, score].map(({ weight }) => weight.data[0])).size).toBe(3);
});

test("widths that do not fit are refused with the fix", () => {
  expect(() => additive({ queryDim: 0, keyDim: 1, hiddenDim: 1 })).toThrow(/additive: `queryDim` is 0/);
  const layer = additive({ queryDim: 2, keyDim: 3, hiddenDim: 4 });
  const params = layer.init(1);
  const x = randn([1, 2, 3], { seed: 1 });
  expect(() => layer.apply(params, x, x, x)).toThrow(
    /additive: `query` has shape \[1, 2, 3\], expected \[B, T, 2\].\nFix: give batches of rows/,
  );
  const query = randn([1, 2, 2], { seed: 1 });
  expect(() => layer.apply(params, query, query, x)).toThrow(
    /`key` has shape \[1, 2, 2\], expected \[B, S, 3\]/,
  );
  expect(() => layer.attend(params, query, x, x)).toThrow(
    /`projectedKey` has shape .*, expected \[B, S, 4\]/,
  );
  expect(() => layer.apply(params, query, x, query.data as never)).toThrow(/`value`/);
  expect(() => layer.apply(params, query, x, randn([1, 5, 3], { seed: 1 }))).toThrow(/`value` has shape/);
});
