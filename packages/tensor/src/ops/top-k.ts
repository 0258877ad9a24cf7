import { ArgumentError } from "@qkv/core";
import { checkTensor } from "../op.js";
import { normalizeAxis } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { argSort } from "./arg-sort.js";
import { contiguous } from "./contiguous.js";
import { gather } from "./gather.js";
import { slice } from "./slice.js";

/**
 * The `k` largest numbers along an axis, the largest first, and where they stand: of equals the first, and NaN only
 * where nothing else is left. The gradient goes back to where each number came from.
 *
 * @param k - From 0 to the length of the axis.
 * @param options - `axis`: default the last. `largest`: false for the smallest. Default true.
 * @returns `values` of the type of `x`, and `indices` in int32.
 * @throws {ArgumentError} If the axis does not hold `k` numbers.
 *
 * @example
 * ```ts
 * import { tensor, topK } from "@qkv/tensor";
 *
 * const { values, indices } = topK(tensor([3, 1, 7, 5]), 2);
 * values.toNested(); // => [7, 5]
 * indices.toNested(); // => [2, 3]
 * ```
 */
export function topK(
  x: Tensor,
  k: number,
  { axis = -1, largest = true }: { axis?: number; largest?: boolean } = {},
): { values: Tensor; indices: Tensor } {
  const at = normalizeAxis("topK", axis, checkTensor("topK", "x", x).shape.length);
  if (!Number.isInteger(k) || k < 0 || k > x.shape[at]!) {
    throw new ArgumentError({
      fn: "topK",
      argument: "k",
      received: k,
      expected: `a whole number from 0 to ${x.shape[at]}, the length of axis ${at}`,
      fix: "ask for at most as many numbers as there are.",
    });
  }
  const indices = contiguous(slice(argSort(x, { axis: at, descending: largest }), at, 0, k));
  return { values: gather(x, at, indices), indices };
}
