import { attentionLayer, type AttentionLayer } from "./grouped-query.js";
import { optionsWithoutKvHeads, type MultiHeadConfig } from "./options-without-kv-heads.js";

/**
 * Multi-query attention: all query heads share one key-value head, so a decoding step reads `H` times fewer bytes
 * of cache.
 *
 * @see "Fast Transformer Decoding: One Write-Head is All You Need" (2019), arXiv:1911.02150
 *
 * @example
 * ```ts
 * import { multiQuery } from "@qkv/attention";
 *
 * multiQuery({ embedDim: 64, numHeads: 8 }).init(1).key.weight.shape; // => [8, 64]
 * ```
 */
export function multiQuery(config: MultiHeadConfig): AttentionLayer {
  return attentionLayer("multiQuery", {
    ...optionsWithoutKvHeads("multiQuery", config, "1"),
    numKvHeads: 1,
  });
}
