import { checkFloat, refuse, sameShape, type Shape, ShapeError, sizeOf } from "@qkv/core";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";
import { add } from "./add.js";
import { concat } from "./concat.js";
import { contiguous } from "./contiguous.js";
import { mul } from "./mul.js";
import { pad } from "./pad.js";
import { reshape } from "./reshape.js";
import { silu } from "./silu.js";
import { slice } from "./slice.js";
import { sum } from "./sum.js";

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
  backward({ inputs: [padded, weight, bias], gradients: [dy], wants }) {
    const [, C, T] = dy!.shape as [number, number, number];
    const K = weight!.shape[2]!;
    const taps = Array.from({ length: K }, (_, k) => k);
    // Tap k met the numbers from k on.
    const spread = (k: number) =>
      pad(mul(dy!, reshape(slice(weight!, 2, k, k + 1), [C, 1])), 2, k, K - 1 - k);
    const meeting = (k: number) =>
      reshape(sum(mul(dy!, slice(padded!, 2, k, k + T)), { axis: [0, 2] }), [C, 1, 1]);
    return [
      wants(0) ? taps.map(spread).reduce((a, b) => add(a, b)) : undefined,
      wants(1) ? concat(taps.map(meeting), 2) : undefined,
      bias && wants(2) ? sum(dy!, { axis: [0, 2] }) : undefined,
    ];
  },
};

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
  if (x.shape.length !== 3) throw unfit("x", x, "of the shape [B, C, T]");
  const K = checkTensor("causalConv", "weight", weight).shape[2] ?? 0;
  const fit = (argument: string, value: Tensor, shape: Shape) => {
    if (sameShape(checkTensor("causalConv", argument, value).shape, shape) && value.dtype === x.dtype) return;
    throw unfit(argument, value, `${x.dtype} [${shape.join(", ")}], as x is [${x.shape.join(", ")}]`);
  };
  fit("weight", weight, [C, 1, Math.max(K, 1)]);
  if (bias) fit("bias", bias, [C]);
  if (state) fit("state", state, [B, C, K - 1]);
  if (!["none", "silu", "swish"].includes(activation)) {
    refuse(
      "causalConv",
      "activation",
      activation,
      '"none", "silu" or "swish"',
      "leave it out, and apply any other function to the output.",
    );
  }
  const padded = state ? concat([state, x], 2) : pad(x, 2, K - 1, 0);
  const sums = run(causalConvOp, bias ? [padded, weight, bias] : [padded, weight], undefined);
  return { output: activation === "none" ? sums : silu(sums), state: contiguous(slice(padded, 2, T)) };
}

function unfit(argument: string, { shape, dtype }: Tensor, expected: string): ShapeError {
  return new ShapeError({
    fn: "causalConv",
    argument,
    received: `${dtype} [${shape.join(", ")}]`,
    expected,
    fix: "x is [B, C, T] with time last, weight [C, 1, K], bias [C], state [B, C, K - 1], all of one type.",
  });
}
