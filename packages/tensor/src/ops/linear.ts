import { refuseShape } from "@qkv/core";
import { checkTensor } from "../op.js";
import type { Tensor } from "../tensor.js";
import { add } from "./add.js";
import { matmul } from "./matmul.js";
import { transposed } from "./transpose.js";

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
  const y = matmul(x, transposed(weight));
  return bias ? add(y, bias) : y;
}
