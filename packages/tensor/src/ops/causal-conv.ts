import {
  checkFits,
  checkFloat,
  checkOneOf,
  checkOptions,
  refuseShape,
  type Shape,
  sizeOf,
  withLength,
} from "@qkv/core";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";
import { concatOp } from "./concat.js";
import { contiguous } from "./contiguous.js";
import { padOp, sliceOp } from "./slice-and-pad.js";
import { reshaped } from "./reshape.js";
import { siluOp } from "./silu.js";
import { sumAlong } from "./sum-to.js";

const layout = "x is [B, C, T], weight [C, 1, K], bias [C], state [B, C, K - 1], all of one type.";

/** True to reverse the taps of the weight, or the times of the output. */
type Reversed = { readonly taps: boolean; readonly times: boolean };

/** out[b, c, t] = bias[c] + Σₖ weight[c, 0, k] · padded[b, c, t + k], with padded `[B, C, K - 1 + T]` */
export const causalConvOp: Op<Reversed> = {
  name: "causalConv",
  infer([padded, weight]) {
    const { shape, dtype } = padded!;
    const times = shape[2]! - weight!.shape[2]! + 1;
    return [{ shape: withLength(shape, 2, times), dtype: checkFloat("causalConv", dtype) }];
  },
  kernel([padded, weight, bias], [out], { taps, times }) {
    const [B, C, T] = out!.shape as [number, number, number];
    const K = weight!.shape[2]!;
    const [db, dc, dt] = padded!.strides as [number, number, number];
    const [wc, , wk] = weight!.strides as [number, number, number];
    const [first, step] = taps ? [weight!.offset + (K - 1) * wk, -wk] : [weight!.offset, wk];
    const [front, along] = times ? [T - 1, -1] : [0, 1];
    const [X, W, Y] = [padded!.array, weight!.array, out!.array];
    for (let b = 0, o = 0; b < B; b++) {
      for (let c = 0; c < C; c++, o += T) {
        const start = bias ? bias.array[bias.offset + c * bias.strides[0]!]! : 0;
        for (let t = 0; t < T; t++) {
          let total = start;
          const from = padded!.offset + b * db + c * dc + t * dt;
          for (let k = 0; k < K; k++) total += W[first + c * wc + k * step]! * X[from + k * dt]!;
          Y[o + front + t * along] = total;
        }
      }
    }
  },
  flops: ([, weight], [out]) => 2 * sizeOf(out!.shape) * weight!.shape[2]!,
  backward({ inputs: [padded, weight, bias], gradients: [dy], attributes: { taps, times }, wants }) {
    const [B, C, T] = dy!.shape as [number, number, number];
    const K = weight!.shape[2]!;
    const convolve = (inputs: Tensor[], reversed: Reversed) => run(causalConvOp, inputs, reversed);
    const around = { axis: 2, before: K - 1, after: K - 1, value: 0 };
    // The gradient of the weight: dy is the weight of a convolution of each sequence.
    const each = [reshaped(padded!, [1, B * C, T + K - 1]), reshaped(dy!, [B * C, 1, T])];
    return [
      wants(0) ? convolve([run(padOp, [dy!], around), weight!], { taps: times === taps, times }) : undefined,
      wants(1)
        ? reshaped(
            sumAlong(reshaped(convolve(each, { taps: times, times: taps }), [B, C, K]), 0),
            weight!.shape,
          )
        : undefined,
      bias && wants(2) ? reshaped(sumAlong(dy!, 0, 2), bias.shape) : undefined,
    ];
  },
};

/** Options of a causal convolution. */
export type CausalConvOptions = {
  /** `[C]`. Default: none. */
  bias?: Tensor;
  /** The previous `K - 1` inputs, `[B, C, K - 1]`, from the previous call. Default: zeros. */
  state?: Tensor;
  /** Activation of the outputs. `"swish"` is another name for `"silu"`. Default `"none"`. */
  activation?: "none" | "silu" | "swish";
};

/**
 * A causal depthwise convolution along time: output t is the weighted sum of inputs `t - K + 1 … t` of its channel. With the state, a
 * sequence can be processed in pieces, with the same outputs.
 *
 * @param x - `[B, C, T]`
 * @param weight - `[C, 1, K]`; the last tap is that of the newest input.
 * @returns `output` `[B, C, T]`, and the `state` `[B, C, K - 1]` for the next call.
 * @throws {ShapeError} If shapes or dtypes do not match.
 * @see The operator CausalConvWithState of ONNX; "Mamba" (2023), arXiv:2312.00752, uses it before its scan
 *
 * @example
 * ```ts
 * import { causalConv, tensor } from "@qkv/tensor";
 *
 * const weight = tensor([10, 1], { shape: [1, 1, 2] }); // ten times the one before, plus this one
 * const first = causalConv(tensor([[[1, 2]]]), weight);
 * first.output.toNested(); // => [[[1, 12]]]
 * causalConv(tensor([[[3]]]), weight, { state: first.state }).output.toNested(); // => [[[23]]]
 * ```
 */
export function causalConv(
  x: Tensor,
  weight: Tensor,
  options?: CausalConvOptions,
): { output: Tensor; state: Tensor } {
  const fn = "causalConv";
  const { bias, state, activation = "none" } = checkOptions(fn, options, ["bias", "state", "activation"]);
  const [B, C, T] = checkTensor(fn, "x", x).shape as [number, number, number];
  if (x.shape.length !== 3) refuseShape(fn, "x", x.shape, "[B, C, T]", layout);
  const K = checkTensor(fn, "weight", weight).shape[2] || 1;
  const fit = (argument: string, value: Tensor, shape: Shape) =>
    checkFits(
      fn,
      argument,
      checkTensor(fn, argument, value),
      { dtype: x.dtype, shape },
      `as x is [${x.shape.join(", ")}]`,
      layout,
    );
  fit("weight", weight, [C, 1, K]);
  if (bias !== undefined) fit("bias", bias, [C]);
  if (state !== undefined) fit("state", state, [B, C, K - 1]);
  checkOneOf(fn, "activation", activation, ["none", "silu", "swish"], "apply others to the output.");
  const padded = state
    ? run(concatOp, [state, x], { axis: 2 })
    : run(padOp, [x], { axis: 2, before: K - 1, after: 0, value: 0 });
  const sums = run(causalConvOp, bias ? [padded, weight, bias] : [padded, weight], {
    taps: false,
    times: false,
  });
  const rest = run(sliceOp, [padded], { axis: 2, start: T, end: T + K - 1 });
  return {
    output: activation === "none" ? sums : run(siluOp, [sums], undefined),
    state: contiguous(rest),
  };
}
