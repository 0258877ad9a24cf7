import type { EvictionCandidates } from "@qkv/attention-contract";
import { slice, type Tensor } from "@qkv/tensor";
import { tracedAttention, type AttentionOptions } from "../attention.js";

/** Attention options of the layer whose cache evicts: its mask, scale, softcap, biases. Default: causal attention. */
export type EvictionAttention = AttentionOptions;

/** Attention weights of the last `rows` queries over all candidates, `[1, H, rows, S]`. */
export function recentWeights(
  { key, value, positions, query }: EvictionCandidates,
  rows: number,
  options: AttentionOptions,
): Tensor {
  const last = slice(query!, 2, Math.max(0, query!.shape[2]! - rows));
  return tracedAttention(last, { key: [key], value: [value], positions }, options, ["weights"]).weights;
}
