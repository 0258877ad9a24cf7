import type { Mask } from "@qkv/attention-contract";
import { combineMasks } from "../combine-masks.js";

/**
 * Combines masks: a query sees a key if all of the masks allow it.
 *
 * @throws {ArgumentError} If no masks are given, or a value is not a mask.
 *
 * @example
 * ```ts
 * import { and, causal, padding } from "@qkv/attention";
 *
 * and(causal(), padding([3, 5])).name; // => "and(causal(), padding([3, 5]))"
 * ```
 */
export function and(...masks: readonly Mask[]): Mask {
  return combineMasks("and", masks, "every");
}
