import { concat, randn, type Tensor } from "@qkv/tensor";
import { multiHead } from "@qkv/attention";
import { expect, test } from "vitest";
import { fromTorchAttention } from "./torch-attention.js";

const drawn = (shape: number[], seed: number) => randn(shape, { seed });
const apart = {
  q_proj_weight: drawn([8, 8], 1),
  k_proj_weight: drawn([8, 8], 2),
  v_proj_weight: drawn([8, 8], 3),
  in_proj_bias: drawn([24], 4),
  "out_proj.weight": drawn([8, 8], 5),
  "out_proj.bias": drawn([8], 6),
};
const { q_proj_weight, k_proj_weight, v_proj_weight, ...rest } = apart;
const fused = { ...rest, in_proj_weight: concat([q_proj_weight, k_proj_weight, v_proj_weight], 0) };

test("fused and separate projections give the same weights: query, key and value are thirds", () => {
  const [one, other] = [fromTorchAttention(fused), fromTorchAttention(apart)];
  for (const name of ["query", "key", "value", "output"] as const) {
    expect(one[name].weight.data).toEqual(other[name].weight.data);
    expect(one[name].bias!.data).toEqual(other[name].bias!.data);
  }
  expect(one.value.weight.data).toEqual(v_proj_weight.data);
  expect(one.value.bias!.data).toEqual(apart.in_proj_bias.data.slice(16));
  multiHead({ embedDim: 8, numHeads: 2 }).apply(one, drawn([1, 3, 8], 7));
});

test("names have the prefix; an error names a missing tensor", () => {
  const prefixed = Object.fromEntries(Object.entries(fused).map(([name, x]) => [`self_attn.${name}`, x]));
  expect(fromTorchAttention(prefixed, "self_attn.").key.weight.data).toEqual(k_proj_weight.data);
  const lacking: Record<string, Tensor> = { ...prefixed };
  delete lacking["self_attn.out_proj.weight"];
  expect(() => fromTorchAttention(lacking, "self_attn.")).toThrow(
    /fromTorchAttention: `self_attn.out_proj.weight` is undefined, expected a tensor/,
  );
});
