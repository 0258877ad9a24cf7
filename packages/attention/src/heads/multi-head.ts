import { attentionLayer, type AttentionLayer } from "./grouped-query.js";
import { optionsWithoutKvHeads, type MultiHeadConfig } from "./options-without-kv-heads.js";

export type { MultiHeadConfig } from "./options-without-kv-heads.js";

/**
 * Multi-head attention: `H` heads attend in parallel, each with its own queries, keys and values.
 *
 * @see "Attention Is All You Need" (2017), arXiv:1706.03762, section 3.2.2
 *
 * @example
 * ```ts
 * import { multiHead } from "@qkv/attention";
 *
 * multiHead({ embedDim: 64, numHeads: 8 }).init(1).key.weight.shape; // => [64, 64]
 * ```
 */
export function multiHead(config: MultiHeadConfig): AttentionLayer {
  const checked = optionsWithoutKvHeads("multiHead", config, "numHeads");
  return attentionLayer("multiHead", { ...checked, numKvHeads: checked.numHeads });
}
