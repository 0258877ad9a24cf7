import { linear, permute, randn, reshape, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { crossAttention } from "./cross-attention.js";
import { groupedQuery, type LinearParams } from "./grouped-query.js";
import { latent } from "./latent.js";
import { multiHead } from "./multi-head.js";
import { multiQuery } from "./multi-query.js";
import { summedHeads } from "./summed-heads.js";

const x = randn([2, 5, 8], { seed: 1 });
const sizes = { embedDim: 8, numHeads: 2, dropout: 0.4 };
const apply = <P>(
  layer: { init(seed: number): P; apply(params: P, x: Tensor, options?: { dropoutSeed?: number }): Tensor },
  dropoutSeed?: number,
) => layer.apply(layer.init(1), x, dropoutSeed === undefined ? {} : { dropoutSeed }).data;
const across = crossAttention({ ...sizes, contextDim: 8 });

test.each([
  ["multiHead", (rate: number, seed?: number) => apply(multiHead({ ...sizes, dropout: rate }), seed)],
  ["multiQuery", (rate: number, seed?: number) => apply(multiQuery({ ...sizes, dropout: rate }), seed)],
  [
    "groupedQuery",
    (rate: number, seed?: number) => apply(groupedQuery({ ...sizes, numKvHeads: 1, dropout: rate }), seed),
  ],
  ["summedHeads", (rate: number, seed?: number) => apply(summedHeads({ ...sizes, dropout: rate }), seed)],
  [
    "latent",
    (rate: number, seed?: number) =>
      apply(latent({ ...sizes, kvRank: 6, nopeDim: 4, ropeDim: 2, valueDim: 4, dropout: rate }), seed),
  ],
])("%s drops weights with a seed alone, the same ones each time", (_, run) => {
  expect(run(0.4)).toEqual(run(0));
  expect(run(0, 7)).toEqual(run(0));
  expect(run(0.4, 7)).toEqual(run(0.4, 7));
  expect(run(0.4, 7)).not.toEqual(run(0.4, 8));
  expect(run(0.4, 7)).not.toEqual(run(0.4));
});

test("cross-attention takes a seed too", () => {
  const context = randn([2, 3, 8], { seed: 2 });
  const run = (dropoutSeed: number) => across.apply(across.init(1), x, context, { dropoutSeed }).data;
  expect(run(1)).toEqual(run(1));
  expect(run(1)).not.toEqual(run(2));
});

test("a layer drops the same weights as `attention` with the same seed", () => {
  const layer = multiHead(sizes);
  const params = layer.init(1);
  const heads = ({ weight }: LinearParams) => permute(reshape(linear(x, weight), [2, 5, 2, 4]), [0, 2, 1, 3]);
  const mixed = attention(heads(params.query), heads(params.key), heads(params.value), {
    dropout: { rate: 0.4, seed: 3 },
  });
  const rows = reshape(permute(mixed, [0, 2, 1, 3]), [2, 5, 8]);
  expect(layer.apply(params, x, { dropoutSeed: 3 }).data).toEqual(linear(rows, params.output.weight).data);
});

test.each([1, -0.1, NaN])("a rate of %d is refused", (dropout) => {
  expect(() => multiHead({ ...sizes, dropout })).toThrow(/multiHead: `dropout` is/);
  expect(() => latent({ ...sizes, kvRank: 6, nopeDim: 4, ropeDim: 2, valueDim: 4, dropout })).toThrow(
    /latent: `dropout` is/,
  );
});
