import { checks } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { defineMask } from "../mask.js";

/**
 * Cuts the sequence into chunks: each query sees itself and the keys before it in its own chunk, where
 * `⌊i / chunkSize⌋ = ⌊j / chunkSize⌋` and `j ≤ i`. A cache holds at most one chunk.
 *
 * The first token of a chunk sees no earlier token, so models interleave such layers with full attention.
 *
 * @param chunkSize - Unit: tokens. An integer, 1 or more; `Infinity` is `causal()`.
 * @throws {ArgumentError} If `chunkSize` is not an integer of at least 1.
 * @see Llama 4 (2025), `attention_chunk_size`
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { attentionWeights, chunked } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 4, 2]); // [B, H, T, D]: all keys match equally
 * [...attentionWeights(x, x, { mask: chunked(2) }).data.slice(-8)]; // => [0, 0, 1, 0, 0, 0, 0.5, 0.5]
 * ```
 */
export function chunked(chunkSize: number): Mask {
  const fix = "choose how many tokens one chunk holds; Infinity is `causal()`.";
  if (chunkSize !== Infinity) checks("chunked").whole({ chunkSize }, { min: 1, unit: "tokens", fix });
  const chunkOf = (position: number) => (chunkSize === Infinity ? 0 : Math.floor(position / chunkSize));
  return defineMask({
    name: `chunked(${chunkSize})`,
    sees: (query, key) => key <= query && chunkOf(query) === chunkOf(key),
    tile(query, key) {
      const first = Math.max(chunkOf(query.first), chunkOf(key.first));
      const last = Math.min(chunkOf(query.last), chunkOf(key.last));
      if (first > last) return "none";
      // With one chunk in common, its newest query may still come before its oldest key.
      const newest = chunkOf(query.last) === last ? query.last : (last + 1) * chunkSize - 1;
      const oldest = chunkOf(key.first) === last ? key.first : last * chunkSize;
      if (first === last && newest < oldest) return "none";
      const one = chunkOf(query.first) === chunkOf(query.last) && chunkOf(key.first) === chunkOf(key.last);
      return one && key.last <= query.first ? "all" : "some";
    },
  });
}
