import type { Tensor } from "../tensor.js";
import { mulOp } from "./mul.js";
import { run } from "../op.js";
import { floatTensor } from "../float-tensor.js";
import { swishFor } from "./swish.js";

/**
 * `swish(gate) · value`, elementwise: a linear map of the input gates another one.
 *
 * @param gate - `[…, F]`
 * @param value - `[…, F]`
 * @param options - `alpha`: parameter of swish, default 1.
 * @returns `[…, F]`
 * @see "GLU Variants Improve Transformer" (2020), arXiv:2002.05202
 *
 * @example
 * ```ts
 * import { swiglu, tensor } from "@qkv/tensor";
 *
 * swiglu(tensor([2]), tensor([10]), { alpha: 0 }).toNested(); // => [10]
 * ```
 */
export function swiglu(gate: Tensor, value: Tensor, options?: { alpha?: number }): Tensor {
  const gated = swishFor("swiglu", "gate", gate, options);
  return run(mulOp, [gated, floatTensor("swiglu", "value", value)], undefined);
}
