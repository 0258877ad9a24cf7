import { normalizeAxis, refuse } from "@qkv/core";
import { checkTensor } from "../op.js";
import type { Tensor } from "../tensor.js";
import { broadcastTo } from "./broadcast-to.js";
import { expandDims } from "./expand-dims.js";
import { reshape } from "./reshape.js";

/**
 * Repeats each element of an axis, as numpy's `repeat` and PyTorch's `repeat_interleave`. To repeat the whole tensor, see `tile`.
 *
 * @param times - An integer, 0 or more.
 *
 * @example
 * ```ts
 * import { repeat, tensor } from "@qkv/tensor";
 *
 * repeat(tensor([1, 2]), 2, 0).toNested(); // => [1, 1, 2, 2]
 * ```
 */
export function repeat(x: Tensor, times: number, axis: number): Tensor {
  const { shape } = checkTensor("repeat", "x", x);
  const at = normalizeAxis("repeat", axis, shape.length);
  if (!Number.isInteger(times) || times < 0) {
    refuse(
      "repeat",
      "times",
      times,
      "an integer, 0 or more",
      "give the same number for all elements; for others `take` them by number.",
    );
  }
  const [before, after] = [shape.slice(0, at), shape.slice(at + 1)];
  const apart = broadcastTo(expandDims(x, at + 1), [...before, shape[at]!, times, ...after]);
  return reshape(apart, [...before, shape[at]! * times, ...after]);
}
