import type { Mask } from "@qkv/attention-contract";
import { combineMasks } from "../combine-masks.js";

/**
 * Combines masks: a query sees a key if at least one of the masks allows it.
 *
 * @throws {ArgumentError} If no masks are given, or a value is not a mask.
 *
 * @example
 * ```ts
 * import { causal, or, padding } from "@qkv/attention";
 *
 * or(causal(), padding([3, 5])).name; // => "or(causal(), padding([3, 5]))"
 * ```
 */
export function or(...masks: readonly Mask[]): Mask {
  return combineMasks("or", masks, "some");
}
