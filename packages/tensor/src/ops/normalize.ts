import { checkOptions, checks } from "@qkv/core";
import type { AxisOptions } from "../along-axis.js";
import type { Tensor } from "../tensor.js";
import { div } from "./div.js";
import { maximum } from "./maximum.js";
import { normFor } from "./norm.js";

/**
 * Scales vectors to norm 1: divides each by its norm, or by `eps` if that is larger.
 *
 * @param options - `axis`: the axis of the vectors. Default the last. `order`: of the norm, 1, 2 or Infinity. Default 2.
 *   `eps`: default 1e-12.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or the order is not supported.
 *
 * @example
 * ```ts
 * import { normalize, tensor } from "@qkv/tensor";
 *
 * normalize(tensor([0, 5, 0])).toNested(); // => [0, 1, 0]
 * normalize(tensor([1, -3]), { order: 1 }).toNested(); // => [0.25, -0.75]
 * ```
 */
export function normalize(x: Tensor, options?: AxisOptions & { order?: number; eps?: number }): Tensor {
  const names = ["axis", "order", "eps"] as const;
  const { axis = -1, order = 2, eps = 1e-12 } = checkOptions("normalize", options, names);
  checks("normalize").finite({ eps }, { above: 0 });
  return div(x, maximum(normFor("normalize", x, order, { axis, keepDims: true }), eps));
}
