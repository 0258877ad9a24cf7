import { checkOptions, normalizeAxis, refuseShape } from "@qkv/core";
import type { AxisOptions } from "../along-axis.js";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";
import { sigmoid } from "./sigmoid.js";
import { sliceOp } from "./slice-and-pad.js";

/**
 * The gated linear unit: the first half of an axis times the sigmoid of the second half.
 *
 * @param x - `[…, 2F]`, or with the axis anywhere.
 * @param options - `axis`: default the last.
 * @returns `[…, F]`
 * @throws {ShapeError} If the length of the axis is odd.
 * @see "Language Modeling with Gated Convolutional Networks" (2016), arXiv:1612.08083
 *
 * @example
 * ```ts
 * import { glu, tensor } from "@qkv/tensor";
 *
 * glu(tensor([4, 6, 0, Infinity])).toNested(); // => [2, 6]
 * ```
 */
export function glu(x: Tensor, options?: AxisOptions): Tensor {
  const { axis = -1 } = checkOptions("glu", options, ["axis"]);
  const { shape } = floatTensor("glu", "x", x);
  const at = normalizeAxis("glu", axis, shape.length);
  const length = shape[at]!;
  if (length % 2 !== 0)
    refuseShape(
      "glu",
      "x",
      shape,
      `an even length on axis ${at}`,
      "give values and gates, one after the other.",
    );
  const half = (start: number) => run(sliceOp, [x], { axis: at, start, end: start + length / 2 });
  return mul(half(0), sigmoid(half(length / 2)));
}
