import { exp, mul } from "@qkv/tensor";
import { defineMixer, queryKeyValue, type Mixer } from "./mixer.js";

/**
 * Gated DeltaNet-2: a delta rule that erases and writes by gates of their own, one for each channel.
 * `S ← diag(exp(decay)) S`, `u = write ⊙ v − Sᵀ (erase ⊙ k)`, `S ← S + k uᵀ`, `o = scale · Sᵀ q`. With both gates
 * equal to beta it is {@link kda}.
 *
 * `decay` (natural logarithms, at most 0) and `erase` are `[B, H, T, K]`, `write` is `[B, H, T, V]`; gates are from 0
 * to 1. Keys are used as they come: normalize them to unit norm. Costs 7 · K · V operations per token and head.
 *
 * @see "Gated DeltaNet-2" (2026), arXiv:2605.22791
 *
 * @example
 * ```ts
 * import { ones, tensor, zeros } from "@qkv/tensor";
 * import { gdn2, mix } from "@qkv/attention";
 *
 * const key = ones([1, 1, 2, 1]); // [B, H, T, K]
 * const inputs = { query: key, key, value: tensor([[[[8], [1]]]]), decay: zeros([1, 1, 2, 1]) };
 * const erase = tensor([[[[0], [0.5]]]]); // the second token takes away half, and writes all of its value
 * mix(gdn2(), { ...inputs, erase, write: key }).output.toNested(); // => [[[[8], [5]]]]
 * ```
 */
export function gdn2(): Mixer<"query" | "key" | "value" | "decay" | "erase" | "write"> {
  return defineMixer({
    name: "gdn2()",
    inputs: { ...queryKeyValue, decay: "B H T K", erase: "B H T K", write: "B H T V" },
    mix: ({ inputs: { query, key, value, decay, erase, write }, state, scan }) =>
      scan({ query, key, value: mul(value, write), decay, erase: mul(mul(key, erase), exp(decay)) }, state),
  });
}
