import { copyStrided, normalizeAxis, refuse, refuseShape } from "@qkv/core";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";
import { sliceOp } from "./slice.js";

export const concatOp: Op<{ axis: number }> = {
  name: "concat",
  moves: true,
  infer(inputs, { axis }) {
    const [first] = inputs;
    inputs.forEach((x, i) => {
      const fits =
        x.dtype === first!.dtype &&
        x.shape.length === first!.shape.length &&
        x.shape.every((length, a) => a === axis || length === first!.shape[a]);
      if (fits) return;
      refuseShape(
        "concat",
        `tensors[${i}]`,
        x.dtype === first!.dtype ? x.shape : x.dtype,
        `${first!.dtype} of the shape [${first!.shape.map((n, a) => (a === axis ? "any" : n)).join(", ")}]`,
        `all tensors must agree in type and in every axis but axis ${axis}.`,
      );
    });
    const total = inputs.reduce((sum, x) => sum + x.shape[axis]!, 0);
    return [{ shape: first!.shape.map((length, a) => (a === axis ? total : length)), dtype: first!.dtype }];
  },
  kernel(inputs, [out], { axis }) {
    let start = 0;
    for (const x of inputs) {
      copyStrided(x, { ...out!, offset: start * out!.strides[axis]! });
      start += x.shape[axis]!;
    }
  },
  backward({ inputs, gradients: [dy], attributes: { axis } }) {
    let end = 0;
    return inputs.map((x) => {
      const start = end;
      end += x.shape[axis]!;
      return run(sliceOp, [dy!], { axis, start, end });
    });
  },
};

/**
 * Tensors one after the other along an axis.
 *
 * @example
 * ```ts
 * import { concat, tensor } from "@qkv/tensor";
 *
 * concat([tensor([1, 2]), tensor([3])], 0).toNested(); // => [1, 2, 3]
 * ```
 */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  if (tensors.length === 0) {
    refuse(
      "concat",
      "tensors",
      "an empty list",
      "one tensor or more",
      "leave the call out where there is nothing to join.",
    );
  }
  tensors.forEach((x, i) => checkTensor("concat", `tensors[${i}]`, x));
  return run(concatOp, tensors, { axis: normalizeAxis("concat", axis, tensors[0]!.shape.length) });
}
