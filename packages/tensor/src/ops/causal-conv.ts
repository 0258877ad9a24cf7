import { checkFloat, checkOneOf, refuseShape, sameShape, type Shape, sizeOf } from "@qkv/core";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";
import { concatOp } from "./concat.js";
import { contiguous } from "./contiguous.js";
import { flipOp } from "./flip.js";
import { padOp } from "./pad.js";
import { silu } from "./silu.js";
import { sliceOp } from "./slice.js";
import { sumOp } from "./sum.js";

/** out[b, c, t] = bias[c] + Σₖ weight[c, 0, k] · padded[b, c, t + k], with padded `[B, C, K - 1 + T]` */
export const causalConvOp: Op<undefined> = {
  name: "causalConv",
  infer([padded, weight]) {
    const [B, C, length] = padded!.shape as [number, number, number];
    return [
      { shape: [B, C, length - weight!.shape[2]! + 1], dtype: checkFloat("causalConv", padded!.dtype) },
    ];
  },
  kernel([padded, weight, bias], [out]) {
    const [B, C, T] = out!.shape as [number, number, number];
    const K = weight!.shape[2]!;
    const [db, dc, dt] = padded!.strides as [number, number, number];
    const [wc, , wk] = weight!.strides as [number, number, number];
    const [X, W, Y] = [padded!.array, weight!.array, out!.array];
    for (let b = 0, o = 0; b < B; b++) {
      for (let c = 0; c < C; c++) {
        const start = bias ? bias.array[bias.offset + c * bias.strides[0]!]! : 0;
        for (let t = 0; t < T; t++, o++) {
          let total = start;
          const from = padded!.offset + b * db + c * dc + t * dt;
          for (let k = 0; k < K; k++) total += W[weight!.offset + c * wc + k * wk]! * X[from + k * dt]!;
          Y[o] = total;
        }
      }
    }
  },
  flops: ([, weight], [out]) => 2 * sizeOf(out!.shape) * weight!.shape[2]!,
  backward: ({ inputs: [padded, weight, bias], gradients: [dy], wants }) => [
    wants(0) ? spreadTaps(dy!, weight!) : undefined,
    wants(1) ? run(tapsOp, [padded!, dy!], undefined) : undefined,
    bias && wants(2) ? run(sumOp, [dy!], { axes: [0, 2], keepDims: false }) : undefined,
  ],
};

/** taps[c, 0, k] = Σ_b Σ_t y[b, c, t] · padded[b, c, t + k]: the gradient of the weight, y being that of the output. */
export const tapsOp: Op<undefined> = {
  name: "causalConvTaps",
  infer: ([padded, y]) => {
    const [, C, length] = padded!.shape as [number, number, number];
    return [{ shape: [C, 1, length - y!.shape[2]! + 1], dtype: y!.dtype }];
  },
  kernel([padded, y], [out]) {
    const [B, C, T] = y!.shape as [number, number, number];
    const K = out!.shape[2]!;
    const [db, dc, dt] = padded!.strides as [number, number, number];
    const [eb, ec, et] = y!.strides as [number, number, number];
    const [X, Y] = [padded!.array, y!.array];
    for (let c = 0, o = 0; c < C; c++) {
      for (let k = 0; k < K; k++, o++) {
        let total = 0;
        for (let b = 0; b < B; b++) {
          const at = padded!.offset + b * db + c * dc + k * dt;
          const from = y!.offset + b * eb + c * ec;
          for (let t = 0; t < T; t++) total += Y[from + t * et]! * X[at + t * dt]!;
        }
        out!.array[o] = total;
      }
    }
  },
  flops: ([, y], [out]) => 2 * sizeOf(y!.shape) * out!.shape[2]!,
  backward: ({ inputs: [padded, y], gradients: [dTaps], wants }) => [
    wants(0) ? spreadTaps(y!, dTaps!) : undefined,
    wants(1) ? run(causalConvOp, [padded!, dTaps!], undefined) : undefined,
  ],
};

/** Each output back to the inputs that its taps met: a convolution with the taps in the other direction. */
function spreadTaps(y: Tensor, weight: Tensor): Tensor {
  const around = weight.shape[2]! - 1;
  const padded = run(padOp, [y], { axis: 2, before: around, after: around, value: 0 });
  return run(causalConvOp, [padded, run(flipOp, [weight], { axes: [2] })], undefined);
}

/** What a causal convolution is told besides its input and weight. */
export type CausalConvOptions = {
  /** `[C]`. Default: none. */
  bias?: Tensor;
  /** The `K - 1` inputs before these, `[B, C, K - 1]`, as the last call returned. Default: zeros. */
  state?: Tensor;
  /** What the sums go through. `"swish"` is another name for `"silu"`. Default `"none"`. */
  activation?: "none" | "silu" | "swish";
};

/**
 * A convolution along time, each channel on its own, in which no output sees a later input: output t is the weighted
 * sum of inputs `t - K + 1 … t`. The state lets a sequence come in pieces, and the outputs are the same.
 *
 * @param x - `[B, C, T]`
 * @param weight - `[C, 1, K]`; the last tap meets the newest input.
 * @returns `output` `[B, C, T]`, and the `state` `[B, C, K - 1]` for the next call.
 * @throws {ShapeError} If shapes or types do not fit together.
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
  options: CausalConvOptions = {},
): { output: Tensor; state: Tensor } {
  const { bias, state, activation = "none" } = options;
  const [B, C, T] = checkTensor("causalConv", "x", x).shape as [number, number, number];
  if (x.shape.length !== 3) refuseUnfit("x", x, "of the shape [B, C, T]");
  const K = checkTensor("causalConv", "weight", weight).shape[2] ?? 0;
  const fit = (argument: string, value: Tensor, shape: Shape) => {
    if (sameShape(checkTensor("causalConv", argument, value).shape, shape) && value.dtype === x.dtype) return;
    refuseUnfit(argument, value, `${x.dtype} [${shape.join(", ")}], as x is [${x.shape.join(", ")}]`);
  };
  fit("weight", weight, [C, 1, Math.max(K, 1)]);
  if (bias) fit("bias", bias, [C]);
  if (state) fit("state", state, [B, C, K - 1]);
  checkOneOf(
    "causalConv",
    "activation",
    activation,
    ["none", "silu", "swish"],
    "leave it out, and apply any other function to the output.",
  );
  const padded = state
    ? run(concatOp, [state, x], { axis: 2 })
    : run(padOp, [x], { axis: 2, before: K - 1, after: 0, value: 0 });
  const sums = run(causalConvOp, bias ? [padded, weight, bias] : [padded, weight], undefined);
  const rest = run(sliceOp, [padded], { axis: 2, start: T, end: T + K - 1 });
  return { output: activation === "none" ? sums : silu(sums), state: contiguous(rest) };
}

function refuseUnfit(argument: string, { shape, dtype }: Tensor, expected: string): never {
  refuseShape(
    "causalConv",
    argument,
    `${dtype} [${shape.join(", ")}]`,
    expected,
    "x is [B, C, T] with time last, weight [C, 1, K], bias [C], state [B, C, K - 1], all of one type.",
  );
}
