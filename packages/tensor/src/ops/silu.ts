import { unaryOp } from "../elementwise.js";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";
import { sigmoidOp } from "./sigmoid.js";
import { sub } from "./sub.js";

export const siluOp = /* @__PURE__ */ unaryOp(
  "silu",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) {
      const value = x[i + k * di]!;
      out[o + k] = value / (1 + Math.exp(-value));
    }
  },
  ({ inputs: [x], gradients: [dy] }) => mul(dy!, run(siluSlopeOp, [x!], undefined)),
);

/** s + x s (1 − s), with s the sigmoid. Its derivative is s (1 − s) (2 − x (2s − 1)). */
export const siluSlopeOp = /* @__PURE__ */ unaryOp(
  "siluSlope",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) {
      const value = x[i + k * di]!;
      const s = 1 / (1 + Math.exp(-value));
      const bend = s * (1 - s);
      out[o + k] = s + (bend === 0 ? 0 : value * bend);
    }
  },
  ({ inputs: [x], gradients: [dy] }) => {
    const s = run(sigmoidOp, [x!], undefined);
    const rest = sub(1, s);
    return mul(dy!, mul(mul(s, rest), sub(2, mul(x!, sub(s, rest)))));
  },
);

/**
 * The sigmoid linear unit `x · sigmoid(x)`, elementwise: the activation of Llama's feed-forward layer.
 *
 * @see "Sigmoid-Weighted Linear Units" (2017), arXiv:1702.03118
 *
 * @example
 * ```ts
 * import { silu, tensor } from "@qkv/tensor";
 *
 * silu(tensor([0])).toNested(); // => [0]
 * ```
 */
export function silu(x: Tensor): Tensor {
  return run(siluOp, [floatTensor("silu", "x", x)], undefined);
}
