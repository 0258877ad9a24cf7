import { convolve, type ConvOptions } from "./convolve.js";
import type { Tensor } from "../tensor.js";

/**
 * A convolution along one axis (a cross-correlation, as in PyTorch).
 *
 * @param x - `[B, C, L]`
 * @param weight - `[O, C / groups, K]`
 * @param options - `bias`, `[O]`: default none. `stride`, `dilation`, `groups`: default 1. `padding`: zeros at both ends,
 *   default 0, or `"same"`.
 * @returns `[B, O, (L + 2 · padding − dilation · (K − 1) − 1) / stride + 1]`, rounded down.
 * @throws {ShapeError} If the shapes do not fit, or `x` is shorter than a window.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or an option is out of range.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { conv1d } from "@qkv/tensor/convolutions";
 *
 * conv1d(tensor([[[1, 2, 4, 7]]]), tensor([[[-1, 1]]])).toNested(); // => [[[1, 2, 3]]]
 * ```
 */
export function conv1d(x: Tensor, weight: Tensor, options?: ConvOptions): Tensor {
  return convolve("conv1d", 1, x, weight, options);
}
