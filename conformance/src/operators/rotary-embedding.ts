import { rotate } from "@qkv/attention";
import { embedding, reshape, type Tensor } from "@qkv/tensor";
import { defineOperator } from "../operator.js";
import { joinHeads, splitHeads } from "./heads.js";

/**
 * RotaryEmbedding: rotates the first `rotary_embedding_dim` dimensions (0: all) of each head by angles from the caches, which
 * have a row per position, looked up by `position_ids` [B, T], or without these a row per token [B, T, r/2].
 */
export const rotaryEmbeddingOperator = defineOperator({
  name: "RotaryEmbedding",
  inputs: ["X", "cos_cache", "sin_cache"],
  optionalInputs: ["position_ids"],
  attributes: { interleaved: 0, num_heads: 0, rotary_embedding_dim: 0 },
  run({ inputs: { X, cos_cache, sin_cache, position_ids }, attributes }) {
    const x = splitHeads(X, attributes.num_heads, "num_heads");
    const half = (attributes.rotary_embedding_dim || x.shape[3]!) / 2;
    const angles = (cache: Tensor, name: string): Tensor => {
      if (cache.shape.at(-1) !== half) {
        throw new Error(`\`${name}\` has shape [${cache.shape.join(", ")}], expected rows of ${half}`);
      }
      const rows = position_ids ? embedding(cache, position_ids) : cache;
      // Rows shared by the batch: [1, T, r/2] for x [B, H, T, D].
      const shared = rows.shape.length === 3 && rows.shape[0] === 1;
      return shared ? reshape(rows, rows.shape.slice(1)) : rows;
    };
    const layout = attributes.interleaved ? "interleaved" : "half";
    const rotated = rotate(x, angles(cos_cache, "cos_cache"), angles(sin_cache, "sin_cache"), { layout });
    return [joinHeads(rotated, X)];
  },
});
