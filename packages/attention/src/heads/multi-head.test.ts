import { matmul, mul, randn, transpose, zeros } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { groupedQuery } from "./grouped-query.js";
import { multiHead } from "./multi-head.js";
import { causal } from "../masks/causal.js";
import { rope } from "../positions/rope.js";

test("multi-head attention equals grouped-query attention with numKvHeads = numHeads", () => {
  const config = { embedDim: 12, numHeads: 3, mask: causal(), rope: rope({ headDim: 4 }), bias: true };
  const [whole, grouped] = [multiHead(config), groupedQuery({ ...config, numKvHeads: 3 })];
  expect(whole.config).toEqual(grouped.config);
  const x = randn([2, 5, 12], { seed: 1 });
  expect(whole.apply(whole.init(2), x).data).toEqual(grouped.apply(grouped.init(2), x).data);
  expect(whole.init(2).key.weight.shape).toEqual([12, 12]);
});

test("contentBias gives the same as the option `bias` with the same numbers", () => {
  const layer = multiHead({ embedDim: 8, numHeads: 2, scale: 0.3 });
  const params = layer.init(2);
  const x = randn([2, 5, 8], { seed: 1 });
  const seen: (readonly number[])[] = [];
  const twice = layer.apply(params, x, {
    contentBias(query, key) {
      seen.push(query.shape, key.shape);
      return mul(matmul(query, transpose(key)), 0.3);
    },
  });
  expect(seen).toEqual([
    [2, 2, 5, 4],
    [2, 2, 5, 4],
  ]);
  // Scores that are added once more are twice as large.
  const double = multiHead({ embedDim: 8, numHeads: 2, scale: 0.6 });
  expect(twice.data).toBeAllclose(double.apply(params, x).data, { rtol: 0, atol: 1e-6 });
  const bias = zeros([1, 1, 5, 5]);
  expect(() => layer.apply(params, x, { bias, contentBias: () => bias })).toThrow(
    /`contentBias` is "beside `bias`", expected a call of its own queries and keys.*\nFix: give either `contentBias` or `bias`, not both\./,
  );
  expect(() => layer.apply(params, x, { contentBias: 3 as never })).toThrow(/`contentBias` is 3/);
});

test("a width that the heads do not divide is refused", () => {
  expect(() => multiHead({ embedDim: 10, numHeads: 4 })).toThrow(/`headDim` is 2.5/);
});
