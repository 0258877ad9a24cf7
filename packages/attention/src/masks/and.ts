import type { Mask } from "@qkv/attention-contract";
import { combineMasks } from "../combine-masks.js";

/**
 * Lets a query see a key where every one of the masks does.
 *
 * @throws {ArgumentError} If there is no mask, or one that is none.
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
