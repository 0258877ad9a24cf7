import { concat, randn } from "@qkv/tensor";
import { expect, test } from "vitest";
import { groupedQuery } from "./grouped-query.js";
import { multiHead } from "./multi-head.js";
import { multiQuery } from "./multi-query.js";
import { causal } from "../masks/causal.js";

const config = { embedDim: 12, numHeads: 3, mask: causal() };
const x = randn([2, 5, 12], { seed: 1 });

test("multi-query attention equals grouped-query attention with one key-value head", () => {
  const [one, grouped] = [multiQuery(config), groupedQuery({ ...config, numKvHeads: 1 })];
  expect(one.config).toEqual(grouped.config);
  expect(one.apply(one.init(2), x).data).toEqual(grouped.apply(grouped.init(2), x).data);
  expect(one.init(2).value.weight.shape).toEqual([4, 12]);
});

test("it equals multi-head attention with the same key and value weights in all heads, bit for bit", () => {
  const one = multiQuery(config);
  const params = one.init(2);
  const thrice = ({ weight }: { weight: typeof x }) => ({ weight: concat([weight, weight, weight], 0) });
  const wide = { ...params, key: thrice(params.key), value: thrice(params.value) };
  expect(multiHead(config).apply(wide, x).data).toEqual(one.apply(params, x).data);
});

test("a fractional head size is refused", () => {
  expect(() => multiQuery({ embedDim: 7, numHeads: 2 })).toThrow(/`headDim` is 3.5/);
});
