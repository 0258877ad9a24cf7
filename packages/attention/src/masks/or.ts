import type { Mask } from "@qkv/attention-contract";
import { combineMasks } from "../combine-masks.js";

/**
 * Lets a query see a key where at least one of the masks does.
 *
 * @throws {ArgumentError} If there is no mask, or one that is none.
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
