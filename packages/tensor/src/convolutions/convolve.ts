import { checkFits, checkOptions, checks, refuseShape, sizeOf } from "@qkv/core";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import { add } from "../ops/add.js";
import { contiguous } from "../ops/contiguous.js";
import { product } from "../ops/matmul.js";
import { permuteOp } from "../ops/permute.js";
import { reshaped } from "../ops/reshape.js";
import type { Tensor } from "../tensor.js";
import { perAxis, unfold, type PerAxis } from "./windows.js";

/** Options of a convolution: one number for all spatial axes, or one for each. */
export type ConvOptions = {
  /** `[O]`: added to each output channel. Default: none. */
  bias?: Tensor;
  /** Step from one window to the next. Default 1. */
  stride?: PerAxis;
  /** Zeros at both ends of each axis, or `"same"` for an output as long as `x`, which requires stride 1. Default 0. */
  padding?: PerAxis | "same";
  /** Distance of the taps of a window. Default 1. */
  dilation?: PerAxis;
  /** Number of groups of channels that are convolved separately; with one channel per group it is a depthwise convolution. Default 1. */
  groups?: number;
};

/**
 * A convolution over `rank` spatial axes: the windows are unfolded to columns (im2col) and multiplied by the weight, with the matrix
 * product of the device.
 */
export function convolve(
  fn: string,
  rank: 1 | 2,
  x: Tensor,
  weight: Tensor,
  options: ConvOptions | undefined,
): Tensor {
  const names = ["bias", "stride", "padding", "dilation", "groups"] as const;
  const { bias, stride = 1, padding = 0, dilation = 1, groups = 1 } = checkOptions(fn, options, names);
  checks(fn).whole({ groups }, { min: 1 });
  const { shape, dtype } = floatTensor(fn, "x", x);
  const space = rank === 1 ? "length" : "height, width";
  if (shape.length !== rank + 2)
    refuseShape(fn, "x", shape, `[batch, channels, ${space}]`, "`expandDims` a single example.");
  const [B, C] = shape as [number, number];
  const [O = 0, groupChannels = 0, ...kernel] = floatTensor(fn, "weight", weight).shape;
  const expected = { dtype, shape: [O, C / groups, ...kernel] };
  const because = `[out, channels / groups, …] for the ${C} channels of x in ${groups} groups`;
  const fix = "channels are axis 1 of x, and groups divide them and the outputs.";
  checkFits(fn, "weight", weight, expected, because, fix);
  if (kernel.length !== rank || O % groups !== 0 || kernel.includes(0))
    refuseShape(fn, "weight", weight.shape, `a multiple of ${groups} outputs, and ${rank} spatial axes`, fix);
  if (bias !== undefined)
    checkFits(fn, "bias", floatTensor(fn, "bias", bias), { dtype, shape: [O] }, "one number per output", fix);
  const steps = perAxis(fn, "stride", stride, rank, 1);
  const dilations = perAxis(fn, "dilation", dilation, rank, 1);
  if (padding === "same" && steps.some((step) => step !== 1))
    checks(fn).refuse({
      argument: "padding",
      received: padding,
      expected: "numbers where the stride is not 1",
      fix: "give the padding of each axis as a number.",
    });
  const zeros = padding === "same" ? undefined : perAxis(fn, "padding", padding, rank, 0);
  const windows = kernel.map((size, i) => {
    const total = dilations[i]! * (size - 1);
    const before = zeros ? zeros[i]! : Math.floor(total / 2);
    return {
      size,
      stride: steps[i]!,
      dilation: dilations[i]!,
      before,
      after: zeros ? before : total - before,
    };
  });
  const unfolded = unfold(fn, x, windows, 0);
  const [taps, outputSpace] = [sizeOf(kernel), unfolded.shape.slice(2)];
  const count = sizeOf(outputSpace);
  // Weights in the order of the columns: taps of a window, then channels.
  const order = [0, ...kernel.map((_, i) => i + 2), 1];
  const rows = reshaped(run(permuteOp, [weight], { axes: order }), [
    groups,
    O / groups,
    taps * groupChannels,
  ]);
  const columns =
    groups === 1
      ? reshaped(unfolded, [B, 1, taps * C, count])
      : reshaped(
          run(permuteOp, [reshaped(unfolded, [B, taps, groups, groupChannels, count])], {
            axes: [0, 2, 1, 3, 4],
          }),
          [B, groups, taps * groupChannels, count],
        );
  const output = reshaped(product(contiguous(rows), columns), [B, O, ...outputSpace]);
  return bias === undefined ? output : add(output, reshaped(bias, [O, ...outputSpace.map(() => 1)]));
}
