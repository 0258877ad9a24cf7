import { checks, type Checks } from "@qkv/core";
import { layerOptions, type GroupedQueryConfig } from "./grouped-query.js";

/** Configuration of a layer whose number of key-value heads is fixed: numHeads in multi-head attention, 1 in multi-query. */
export type MultiHeadConfig = Omit<GroupedQueryConfig, "numKvHeads">;

/** Returns the options of a layer whose number of key-value heads is fixed. Refuses unknown ones. */
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
