import { normalizeAxis } from "@qkv/core";
import { checkTensor } from "../op.js";
import type { Tensor } from "../tensor.js";
import { reshape } from "./reshape.js";

/**
 * Inserts an axis of length 1 before axis `axis`; -1 appends it.
 *
 * @example
 * ```ts
 * import { expandDims, zeros } from "@qkv/tensor";
 *
 * expandDims(zeros([2, 3]), 1).shape; // => [2, 1, 3]
 * expandDims(zeros([2, 3]), -1).shape; // => [2, 3, 1]
 * ```
 */
export function expandDims(x: Tensor, axis: number): Tensor {
  const { shape } = checkTensor("expandDims", "x", x);
  const at = normalizeAxis("expandDims", axis, shape.length + 1);
  return reshape(x, [...shape.slice(0, at), 1, ...shape.slice(at)]);
}
