import { checkOneOf, checkOptions } from "@qkv/core";
import { unaryOp } from "../elementwise.js";
import { erfc } from "../erf.js";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { add } from "./add.js";
import { exp } from "./exp.js";
import { mul } from "./mul.js";
import { sub } from "./sub.js";
import { tanh } from "./tanh.js";

/** x Φ(x), with the standard normal CDF Φ. */
export const geluOp = /* @__PURE__ */ unaryOp(
  "gelu",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) {
      const value = x[i + k * di]!;
      out[o + k] = value === -Infinity ? 0 : 0.5 * value * erfc(-value * Math.SQRT1_2);
    }
  },
  ({ inputs: [x], gradients: [dy] }) => mul(dy!, run(geluSlopeOp, [x!], undefined)),
);

/** Φ(x) + x φ(x), with the density φ. Its derivative is φ(x) (2 − x²). */
export const geluSlopeOp = /* @__PURE__ */ unaryOp(
  "geluSlope",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) {
      const value = x[i + k * di]!;
      const density = inverseRoot2Pi * Math.exp(-0.5 * value * value);
      out[o + k] = 0.5 * erfc(-value * Math.SQRT1_2) + (density === 0 ? 0 : value * density);
    }
  },
  ({ inputs: [x], gradients: [dy] }) => {
    const squared = mul(x!, x!);
    const density = mul(exp(mul(squared, -0.5)), inverseRoot2Pi);
    return mul(dy!, mul(density, sub(2, squared)));
  },
);

/** ½ x (1 + tanh u), u = √(2/π) (x + 0.044715 x³) */
export const geluTanhOp = /* @__PURE__ */ unaryOp(
  "geluTanh",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) {
      const value = x[i + k * di]!;
      const u = root2OverPi * value * (1 + cubic * value * value);
      out[o + k] = value === -Infinity ? 0 : 0.5 * value * (1 + Math.tanh(u));
    }
  },
  ({ inputs: [x], gradients: [dy] }) => mul(dy!, run(geluTanhSlopeOp, [x!], undefined)),
);

/** ½ (1 + t) + ½ x (1 − t²) u', with t = tanh u. Its derivative is (1 − t²) (u' + ½ x u'' − x t u'²). */
export const geluTanhSlopeOp = /* @__PURE__ */ unaryOp(
  "geluTanhSlope",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) {
      const value = x[i + k * di]!;
      const squared = value * value;
      const t = Math.tanh(root2OverPi * value * (1 + cubic * squared));
      const bend = 1 - t * t;
      const slopeOfU = root2OverPi * (1 + 3 * cubic * squared);
      out[o + k] = 0.5 * (1 + t) + (bend === 0 ? 0 : 0.5 * value * bend * slopeOfU);
    }
  },
  ({ inputs: [x], gradients: [dy] }) => {
    const squared = mul(x!, x!);
    const t = tanh(mul(mul(x!, add(mul(squared, cubic), 1)), root2OverPi));
    const slopeOfU = mul(add(mul(squared, 3 * cubic), 1), root2OverPi);
    const bends = add(slopeOfU, mul(squared, 3 * cubic * root2OverPi));
    const slope = sub(bends, mul(mul(x!, t), mul(slopeOfU, slopeOfU)));
    return mul(dy!, mul(sub(1, mul(t, t)), slope));
  },
);

/** 1/√(2π) */
const inverseRoot2Pi = 0.3989422804014327;
/** √(2/π) */
const root2OverPi = 0.7978845608028654;
/** The cubic term of u = √(2/π) (x + 0.044715 x³): Hendrycks and Gimpel, arXiv:1606.08415. */
const cubic = 0.044715;

/**
 * The Gaussian error linear unit, `x · Φ(x)`, with the standard normal CDF Φ.
 *
 * @param options - `approximate`: `"none"` (default) is exact; `"tanh"` is the approximation of GPT-2,
 *   with an error of at most 0.0005.
 * @throws {ArgumentError} If `approximate` has another value.
 * @see "Gaussian Error Linear Units" (2016), arXiv:1606.08415
 *
 * @example
 * ```ts
 * import { gelu, tensor } from "@qkv/tensor";
 *
 * gelu(tensor([0, 1])).toNested(); // => [0, 0.8413447737693787]
 * gelu(tensor([0, 1]), { approximate: "tanh" }).toNested(); // => [0, 0.8411920070648193]
 * ```
 */
export function gelu(x: Tensor, options?: { approximate?: "none" | "tanh" }): Tensor {
  const { approximate = "none" } = checkOptions("gelu", options, ["approximate"]);
  checkOneOf(
    "gelu",
    "approximate",
    approximate,
    ["none", "tanh"],
    'leave it out for the exact function; checkpoints that say gelu_new or gelu_pytorch_tanh want "tanh".',
  );
  return run(approximate === "tanh" ? geluTanhOp : geluOp, [floatTensor("gelu", "x", x)], undefined);
}
