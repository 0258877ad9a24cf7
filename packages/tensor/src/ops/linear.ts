import { refuseShape, sizeOf } from "@qkv/core";
import type { View } from "../contracts.js";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";
import { add, addOp } from "./add.js";
import { contiguous } from "./contiguous.js";
import { matmul, matmulOp } from "./matmul.js";
import { reshaped } from "./reshape.js";
import { sumTo } from "./sum-to.js";
import { transposed } from "./transpose.js";

/** A product and the sum with a bias as one, where a device has a kernel for both: x `[…, in]` packed, or of two axes. */
export const linearOp: Op<undefined> = {
  name: "linear",
  infer: ([x, weight]) => [{ shape: [...x!.shape.slice(0, -1), weight!.shape[0]!], dtype: x!.dtype }],
  kernel([x, weight, bias], [y]) {
    const [N, K] = weight!.shape as [number, number];
    const rows = x!.shape.length === 2 ? x! : matrixOf(x!, K);
    const turned = { ...weight!, shape: [K, N], strides: [weight!.strides[1]!, weight!.strides[0]!] };
    const product = matrixOf(y!, N);
    matmulOp.kernel!([rows, turned], [product], undefined);
    if (bias) addOp.kernel!([product, bias], [product], undefined);
  },
  flops: ([, weight, bias], [y]) => sizeOf(y!.shape) * (2 * weight!.shape[1]! + (bias ? 1 : 0)),
  backward({ inputs: [x, weight, bias], gradients: [dy], wants }) {
    const rows = (t: Tensor) => reshaped(t, [sizeOf(t.shape.slice(0, -1)), t.shape.at(-1)!]);
    return [
      wants(0) ? matmul(dy!, weight!) : undefined,
      wants(1) ? matmul(transposed(rows(dy!)), rows(x!)) : undefined,
      bias && wants(2) ? sumTo(dy!, bias.shape) : undefined,
    ];
  },
};

/** A packed view as rows of n numbers. */
function matrixOf(view: View, n: number): View {
  return { ...view, shape: [sizeOf(view.shape) / n, n], strides: [n, 1] };
}

/**
 * `y = x Wᵀ + b`, with the weight `[out, in]` as checkpoints store it.
 *
 * @param x - `[…, in]`
 * @param weight - `[out, in]`
 * @param bias - `[out]`. Default: none.
 * @returns `[…, out]`
 *
 * @example
 * ```ts
 * import { linear, tensor } from "@qkv/tensor";
 *
 * linear(tensor([1, 2]), tensor([[1, 0], [0, 1], [1, 1]]), tensor([0, 0, 10])).toNested(); // => [1, 2, 13]
 * ```
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const [, inner] = checkTensor("linear", "weight", weight).shape;
  const length = checkTensor("linear", "x", x).shape.at(-1);
  if (weight.shape.length !== 2 || inner !== length) {
    refuseShape(
      "linear",
      "weight",
      weight.shape,
      `[out, ${length ?? "in"}], as x is [${x.shape.join(", ")}]`,
      "weights are [out, in]; `transpose` one that is stored the other way round.",
    );
  }
  if (bias ? fits(x, weight, bias) : fits(x, weight)) {
    const rows = x.shape.length === 2 ? x : contiguous(x);
    return run(linearOp, bias ? [rows, weight, bias] : [rows, weight], undefined);
  }
  const y = matmul(x, transposed(weight));
  return bias ? add(y, bias) : y;
}

/** Whether the device has a kernel for all of it, and the tensors are what that takes; else what is refused is said below. */
function fits(x: Tensor, weight: Tensor, bias?: Tensor): boolean {
  if (!x.device.kernels["linear"] || weight.dtype !== x.dtype) return false;
  if (!bias) return true;
  const { shape, dtype } = checkTensor("linear", "bias", bias);
  return dtype === x.dtype && shape.length === 1 && shape[0] === weight.shape[0];
}
