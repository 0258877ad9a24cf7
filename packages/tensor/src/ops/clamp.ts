import { checkOptions, checks, isFloat, refuse } from "@qkv/core";
import { unaryOp } from "../elementwise.js";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { greaterEqual } from "./greater-equal.js";
import { lessEqual } from "./less-equal.js";
import { logicalAnd } from "./logical-and.js";
import { where } from "./where.js";

type Limits = { readonly min: number; readonly max: number };

export const clampOp = /* @__PURE__ */ unaryOp<Limits>(
  "clamp",
  (out, o, x, i, di, n, { min, max }) => {
    for (let k = 0; k < n; k++) out[o + k] = Math.min(Math.max(x[i + k * di]!, min), max);
  },
  ({ inputs: [x], gradients: [dy], attributes: { min, max } }) =>
    where(logicalAnd(greaterEqual(x!, min), lessEqual(x!, max)), dy!, 0),
);

/**
 * Limits each number to the range from `min` to `max`. NaN stays NaN. The gradient is 0 outside of the range, and unchanged inside
 * and at the limits.
 *
 * @param limits - `min`: default −∞. `max`: default ∞. Integers for integer dtypes.
 * @throws {ArgumentError} If a limit is not a number, is a fraction for an integer dtype, or if `min` is above `max`.
 *
 * @example
 * ```ts
 * import { clamp, tensor } from "@qkv/tensor";
 *
 * clamp(tensor([-2, 0.5, 2]), { min: -1, max: 1 }).toNested(); // => [-1, 0.5, 1]
 * ```
 */
export function clamp(x: Tensor, limits: Partial<Limits>): Tensor {
  const { min = -Infinity, max = Infinity } = checkOptions("clamp", limits, ["min", "max"], "limits");
  checks("clamp").each({ limits }, () => min !== -Infinity || max !== Infinity, "`min`, `max` or both");
  const { dtype } = checkTensor("clamp", "x", x);
  const fits = [min, max].every((limit) => isFloat(dtype) || limit === Math.round(limit));
  if (!fits || !(min <= max)) {
    refuse(
      "clamp",
      "limits",
      `from ${min} to ${max}`,
      isFloat(dtype) ? "min at most max" : "integers, min at most max",
      "give the smaller limit as `min`; leave one out where there is none.",
    );
  }
  return run(clampOp, [x], { min, max });
}
