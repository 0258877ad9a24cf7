import { randn } from "@qkv/tensor";
import { expect, test } from "vitest";
import { groupedQuery } from "./grouped-query.js";
import { multiHead } from "./multi-head.js";
import { causal } from "../masks/causal.js";
import { rope } from "../positions/rope.js";

test("multi-head attention is grouped-query attention in which nothing is shared", () => {
  const config = { embedDim: 12, numHeads: 3, mask: causal(), rope: rope({ headDim: 4 }), bias: true };
  const [whole, grouped] = [multiHead(config), groupedQuery({ ...config, numKvHeads: 3 })];
  expect(whole.config).toEqual(grouped.config);
  const x = randn([2, 5, 12], { seed: 1 });
  expect(whole.apply(whole.init(2), x).data).toEqual(grouped.apply(grouped.init(2), x).data);
  expect(whole.init(2).key.weight.shape).toEqual([12, 12]);
});

test("a width that the heads do not divide is refused", () => {
  expect(() => multiHead({ embedDim: 10, numHeads: 4 })).toThrow(/`headDim` is 2.5/);
});
