import { checkTensor } from "./op.js";
import type { Tensor } from "./tensor.js";

/**
 * Removes a tensor from all scopes, so that it is kept as long as it is reachable. For cache buffers and optimizer state that are
 * created inside a scope and outlive it.
 *
 * @example
 * ```ts
 * import { js, resident, zeros } from "@qkv/tensor";
 *
 * const state = { sum: zeros([1]) };
 * js().scope(() => {
 *   state.sum = resident(zeros([2]));
 * });
 * state.sum.toNested(); // => [0, 0]
 * ```
 */
export function resident(x: Tensor): Tensor {
  const { device, storage } = checkTensor("resident", "x", x);
  device.retain(storage);
  return x;
}
