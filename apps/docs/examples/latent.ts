import { causal, latent, rope } from "@qkv/attention";
import { check, print } from "@qkv/page";
import { randn } from "@qkv/tensor";

const sizes = {
  embedDim: 32,
  numHeads: 4,
  kvRank: 8,
  nopeDim: 6,
  ropeDim: 2,
  valueDim: 8,
};
const layer = latent({
  ...sizes,
  mask: causal(),
  rope: rope({ headDim: sizes.ropeDim, layout: "interleaved" }),
});
const params = layer.init(1);
const x = randn([1, 6, 32], { seed: 2 }); // [B, T, C]

const naive = layer.naive(params, x);
const absorbed = layer.absorbed(params, x);
const apart = naive.data.map((y, i) => Math.abs(y - (absorbed.data[i] ?? NaN)));
print("largest difference of both forms:", Math.max(...apart));

const { numHeads, kvRank, nopeDim, ropeDim, valueDim } = sizes;
const perToken = kvRank + ropeDim;
print("numbers per token in the cache:", perToken);
print(
  "with all heads' keys and values:",
  numHeads * (nopeDim + ropeDim + valueDim),
);
check("both forms agree", Math.max(...apart) < 1e-5);
check("10 numbers are stored", perToken === 10);
