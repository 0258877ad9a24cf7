import { checks, type Checks } from "@qkv/core";
import type { AttentionParams, LinearParams } from "@qkv/attention";
import { slice, type Tensor } from "@qkv/tensor";
import { splitFused, stacked } from "./row-map.js";

/**
 * Converts the weights of `torch.nn.MultiheadAttention`, fused (`in_proj_weight`) or separate (`q_proj_weight`, …, if
 * keys or values have another width), into those of an attention layer.
 *
 * @param named - Tensors by PyTorch's names.
 * @param prefix - Prefix of the names: `self_attn.`. Default: none.
 * @throws {ArgumentError} If a tensor is missing.
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { fromTorchAttention } from "@qkv/transformer";
 *
 * const params = fromTorchAttention({ in_proj_weight: zeros([12, 4]), "out_proj.weight": zeros([4, 4]) });
 * params.query.weight.shape; // => [4, 4]
 * ```
 */
export function fromTorchAttention(named: Readonly<Record<string, Tensor>>, prefix = ""): AttentionParams {
  const check: Checks = checks("fromTorchAttention");
  const isObject = (value: unknown) => typeof value === "object" && value !== null;
  check.each({ named }, isObject, "tensors by name", "give the module's `state_dict()`.");
  check.type({ prefix }, "string");
  const find = (name: string): Tensor => {
    const x = named[prefix + name];
    if (x) return x;
    check.refuse({
      argument: prefix + name,
      received: undefined,
      expected: "a tensor, as in the state of torch.nn.MultiheadAttention",
      fix: "give the module's `state_dict()`, and its path as `prefix`.",
    });
  };
  const bias = named[`${prefix}in_proj_bias`];
  const outBias = named[`${prefix}out_proj.bias`];
  const output = { weight: find("out_proj.weight"), ...(outBias && { bias: outBias }) };
  const C = output.weight.shape[0]!;
  if (named[`${prefix}in_proj_weight`]) {
    const fused = { weight: find("in_proj_weight"), ...(bias && { bias }) };
    const [query, key, value] = splitFused(fused, stacked([C, C, C])) as [
      LinearParams,
      LinearParams,
      LinearParams,
    ];
    return { query, key, value, output };
  }
  const apart = (name: string, n: number): LinearParams => ({
    weight: find(name),
    ...(bias && { bias: slice(bias, 0, n * C, (n + 1) * C) }),
  });
  return {
    query: apart("q_proj_weight", 0),
    key: apart("k_proj_weight", 1),
    value: apart("v_proj_weight", 2),
    output,
  };
}
