import {
  checkFits,
  checkSameType,
  isFloat,
  isPacked,
  refuseShape,
  sizeOf,
  unpackHalf,
  withLength,
} from "@qkv/core";
import type { View } from "../contracts.js";
import { matrixProduct } from "../matrix-product.js";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";
import { addOp } from "./add.js";
import { cast } from "./cast.js";
import { contiguous } from "./contiguous.js";
import { product } from "./matmul.js";
import { reshaped } from "./reshape.js";
import { sumTo } from "./sum-to.js";
import { transposed } from "./transpose.js";

/** A matrix product with a bias, for devices with a kernel of both. x is `[…, in]` and contiguous, or has two axes and any strides. */
export const linearOp: Op<undefined> = {
  name: "linear",
  halfInput: 1,
  infer(inputs) {
    const { shape, dtype } = inputs[0]!;
    return [{ shape: withLength(shape, shape.length - 1, inputs[1]!.shape[0]!), dtype }];
  },
  kernel([x, weight, bias], [y]) {
    const [N, K] = weight!.shape as [number, number];
    const rows = x!.shape.length === 2 ? x! : asMatrix(x!, K);
    const floats = toFloat32(weight!);
    const transposed = { ...floats, shape: [K, N], strides: [floats.strides[1]!, floats.strides[0]!] };
    const out = asMatrix(y!, N);
    matrixProduct.kernel!([rows, transposed], [out], undefined);
    if (bias) addOp.kernel!([out, bias], [out], undefined);
  },
  flops: ([, weight, bias], [y]) => sizeOf(y!.shape) * (2 * weight!.shape[1]! + (bias ? 1 : 0)),
  backward: ({ inputs: [x, weight, bias], gradients: [dy], wants }) => [
    wants(0) ? reshaped(product(rowsOf(dy!), asFloats(weight!, dy!)), x!.shape) : undefined,
    wants(1) ? product(transposed(rowsOf(dy!)), rowsOf(x!)) : undefined,
    bias && wants(2) ? sumTo(dy!, bias.shape) : undefined,
  ],
};

function rowsOf(x: Tensor): Tensor {
  return reshaped(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]);
}

/** A 16-bit weight, cast to the dtype of x; other weights are returned as they are. */
const asFloats = (weight: Tensor, { dtype }: Tensor): Tensor =>
  isPacked(weight.dtype) ? cast(weight, dtype) : weight;

/** A 16-bit view converted to float32, for the plain kernel. */
function toFloat32(weight: View): View {
  const { dtype, array } = weight;
  if (!isPacked(dtype)) return weight;
  return { ...weight, dtype: "float32", array: unpackHalf(array as Uint16Array, dtype) };
}

/** A contiguous view as a matrix with rows of n numbers. */
function asMatrix(view: View, n: number): View {
  return { ...view, shape: [sizeOf(view.shape) / n, n], strides: [n, 1] };
}

/**
 * `y = x Wᵀ + b`, with the weight `[out, in]` as checkpoints store it.
 *
 * @param x - `[…, in]`
 * @param weight - `[out, in]`, with the dtype of x, or float16 or bfloat16: then the result is, bit for bit, that of the weight
 *   cast to float32. Devices that read such weights in place (`wasm`) do not copy it; others cast it in each call. It gets no
 *   gradient.
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
  const N = checkTensor("linear", "weight", weight).shape[0]!;
  const inner = weight.shape[1];
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
  const half = isPacked(weight.dtype) && isFloat(x.dtype) ? weight.dtype : undefined;
  if (!half) checkSameType("linear", "weight", weight.dtype, x.dtype, "x");
  if (bias !== undefined) {
    const fix = "a bias has one number for each row of the weight.";
    const wanted = { dtype: x.dtype, shape: [N] };
    checkFits("linear", "bias", checkTensor("linear", "bias", bias), wanted, "as the weight has rows", fix);
  }
  if (x.device.kernels["linear"] && (!half || x.device.weightTypes?.includes(half))) {
    const rows = x.shape.length === 2 ? x : contiguous(x);
    return run(linearOp, bias ? [rows, weight, bias] : [rows, weight], undefined);
  }
  const y = product(rowsOf(x), transposed(asFloats(weight, x)));
  return reshaped(bias ? run(addOp, [y, bias], undefined) : y, [...x.shape.slice(0, -1), N]);
}
