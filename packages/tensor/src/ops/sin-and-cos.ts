import { unaryOp } from "../elementwise.js";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";
import { neg } from "./neg.js";

// In one file: each is the other's derivative.

export const sinOp = /* @__PURE__ */ unaryOp(
  "sin",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Math.sin(x[i + k * di]!);
  },
  ({ inputs: [x], gradients: [dy] }) => mul(dy!, cos(x!)),
);

/**
 * The sine of each number, in radians.
 *
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 *
 * @example
 * ```ts
 * import { sin, tensor } from "@qkv/tensor";
 *
 * sin(tensor([0])).toNested(); // => [0]
 * ```
 */
export function sin(x: Tensor): Tensor {
  return run(sinOp, [floatTensor("sin", "x", x)], undefined);
}

export const cosOp = /* @__PURE__ */ unaryOp(
  "cos",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Math.cos(x[i + k * di]!);
  },
  ({ inputs: [x], gradients: [dy] }) => neg(mul(dy!, sin(x!))),
);

/**
 * The cosine of each number, in radians.
 *
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 *
 * @example
 * ```ts
 * import { cos, tensor } from "@qkv/tensor";
 *
 * cos(tensor([0])).toNested(); // => [1]
 * ```
 */
export function cos(x: Tensor): Tensor {
  return run(cosOp, [floatTensor("cos", "x", x)], undefined);
}
