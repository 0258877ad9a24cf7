import { concat, randn, type Tensor } from "@qkv/tensor";
import { multiHead } from "@qkv/attention";
import { expect, test } from "vitest";
import { fromTorchAttention } from "./torch-attention.js";

const random = (shape: number[], seed: number) => randn(shape, { seed });
const separate = {
  q_proj_weight: random([8, 8], 1),
  k_proj_weight: random([8, 8], 2),
  v_proj_weight: random([8, 8], 3),
  in_proj_bias: random([24], 4),
  "out_proj.weight": random([8, 8], 5),
  "out_proj.bias": random([8], 6),
};
const { q_proj_weight, k_proj_weight, v_proj_weight, ...rest } = separate;
const fused = { ...rest, in_proj_weight: concat([q_proj_weight, k_proj_weight, v_proj_weight], 0) };

test("fused and separate projections convert to the same weights", () => {
  const [fromFused, fromSeparate] = [fromTorchAttention(fused), fromTorchAttention(separate)];
  for (const name of ["query", "key", "value", "output"] as const) {
    expect(fromFused[name].weight.data).toEqual(fromSeparate[name].weight.data);
    expect(fromFused[name].bias!.data).toEqual(fromSeparate[name].bias!.data);
  }
  expect(fromFused.value.weight.data).toEqual(v_proj_weight.data);
  expect(fromFused.value.bias!.data).toEqual(separate.in_proj_bias.data.slice(16));
  multiHead({ embedDim: 8, numHeads: 2 }).apply(fromFused, random([1, 3, 8], 7));
});

test("names have the given prefix, and an error names a missing tensor", () => {
  const prefixed = Object.fromEntries(Object.entries(fused).map(([name, x]) => [`self_attn.${name}`, x]));
  expect(fromTorchAttention(prefixed, "self_attn.").key.weight.data).toEqual(k_proj_weight.data);
  const incomplete: Record<string, Tensor> = { ...prefixed };
  delete incomplete["self_attn.out_proj.weight"];
  expect(() => fromTorchAttention(incomplete, "self_attn.")).toThrow(
    /fromTorchAttention: `self_attn.out_proj.weight` is undefined, expected a tensor/,
  );
});
