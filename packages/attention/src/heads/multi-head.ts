import { checks, type Checks } from "@qkv/core";
import {
  attentionLayer,
  layerOptions,
  type AttentionLayer,
  type GroupedQueryConfig,
} from "./grouped-query.js";

/** What a multi-head layer is: every query head has a key-value head of its own. */
export type MultiHeadConfig = Omit<GroupedQueryConfig, "numKvHeads">;

/**
 * Multi-head attention: `H` heads that each look in their own way, side by side, each with its own keys and values.
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
  const given = optionsWithoutKvHeads("multiHead", config, "numHeads");
  return attentionLayer("multiHead", { ...given, numKvHeads: given.numHeads });
}

/** The options of a layer whose number of key-value heads is no choice. */
export function optionsWithoutKvHeads(
  fn: string,
  config: MultiHeadConfig,
  numKvHeads: "numHeads" | "1",
): MultiHeadConfig {
  const check: Checks = checks(fn);
  const { numKvHeads: received } = (config ?? {}) as Partial<GroupedQueryConfig>;
  if (received !== undefined) {
    check.refuse({
      argument: "numKvHeads",
      received,
      expected: `no such option, as it is ${numKvHeads} in this layer`,
      fix: "choose the number of key-value heads with `groupedQuery`.",
    });
  }
  return check.options(config, layerOptions(), "config");
}
