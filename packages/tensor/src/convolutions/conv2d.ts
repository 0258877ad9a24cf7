import { convolve, type ConvOptions } from "./convolve.js";
import type { Tensor } from "../tensor.js";

/**
 * A convolution over images (a cross-correlation, as in PyTorch). With a stride of the window's size it embeds patches.
 *
 * @param x - `[B, C, H, W]`
 * @param weight - `[O, C / groups, KH, KW]`
 * @param options - `bias`, `[O]`: default none. `stride`, `dilation`, `groups`: default 1. `padding`: zeros at both ends of
 *   both axes, default 0, or `"same"`.
 * @returns `[B, O, OH, OW]`, each length `(L + 2 · padding − dilation · (K − 1) − 1) / stride + 1`, rounded down.
 * @throws {ShapeError} If the shapes do not fit, or `x` is smaller than a window.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or an option is out of range.
 *
 * @example
 * ```ts
 * import { ones } from "@qkv/tensor";
 * import { conv2d } from "@qkv/tensor/convolutions";
 *
 * conv2d(ones([1, 3, 5, 5]), ones([8, 3, 2, 2]), { stride: 2 }).shape; // => [1, 8, 2, 2]
 * ```
 */
export function conv2d(x: Tensor, weight: Tensor, options?: ConvOptions): Tensor {
  return convolve("conv2d", 2, x, weight, options);
}
