import { checkOptions, checks } from "@qkv/core";
import { unaryOp } from "../elementwise.js";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { add } from "./add.js";
import { mul } from "./mul.js";
import { sigmoid } from "./sigmoid.js";
import { sub } from "./sub.js";

export const swishOp = /* @__PURE__ */ unaryOp<{ alpha: number }>(
  "swish",
  (out, o, x, i, di, n, { alpha }) => {
    for (let k = 0; k < n; k++) {
      const value = x[i + k * di]!;
      out[o + k] = value / (1 + Math.exp(-alpha * value));
    }
  },
  ({ inputs: [x], gradients: [dy], attributes: { alpha } }) => {
    // d swish = s + α x s (1 − s), with s = sigmoid(α x)
    const s = sigmoid(mul(x!, alpha));
    return mul(dy!, add(s, mul(mul(mul(x!, alpha), s), sub(1, s))));
  },
);

/**
 * `x · sigmoid(alpha · x)`, elementwise. With `alpha` 1 it is `silu`; with 1.702 it approximates `gelu`.
 *
 * @param options - `alpha`: default 1.
 * @see "Searching for Activation Functions" (2017), arXiv:1710.05941
 *
 * @example
 * ```ts
 * import { swish, tensor } from "@qkv/tensor";
 *
 * swish(tensor([2]), { alpha: 0 }).toNested(); // => [1]
 * ```
 */
export function swish(x: Tensor, options?: { alpha?: number }): Tensor {
  return swishFor("swish", "x", x, options);
}

/** {@link swish} for a public function `fn`, which errors name. */
export function swishFor(fn: string, argument: string, x: Tensor, options?: { alpha?: number }): Tensor {
  const { alpha = 1 } = checkOptions(fn, options, ["alpha"]);
  checks(fn).finite({ alpha });
  return run(swishOp, [floatTensor(fn, argument, x)], { alpha });
}
