import { unaryOp } from "../elementwise.js";
import { erf as scalarErf } from "../erf.js";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { exp } from "./exp.js";
import { mul } from "./mul.js";
import { neg } from "./neg.js";

export const erfOp = /* @__PURE__ */ unaryOp(
  "erf",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = scalarErf(x[i + k * di]!);
  },
  // d erf = 2/√π · e^(−x²)
  ({ inputs: [x], gradients: [dy] }) => mul(dy!, mul(exp(neg(mul(x!, x!))), 2 / Math.sqrt(Math.PI))),
);

/**
 * The error function of each number, `2/√π ∫₀ˣ e^(−t²) dt`, with a relative error of about 4e-16.
 *
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 *
 * @example
 * ```ts
 * import { erf, tensor } from "@qkv/tensor";
 *
 * erf(tensor([0, Infinity])).toNested(); // => [0, 1]
 * ```
 */
export function erf(x: Tensor): Tensor {
  return run(erfOp, [floatTensor("erf", "x", x)], undefined);
}
