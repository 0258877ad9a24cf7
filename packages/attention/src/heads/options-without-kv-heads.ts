import { checks, type Checks } from "@qkv/core";
import { layerOptions, type GroupedQueryConfig } from "./grouped-query.js";

/** A layer whose number of key-value heads is no choice: as many as heads, or one. */
export type MultiHeadConfig = Omit<GroupedQueryConfig, "numKvHeads">;

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
