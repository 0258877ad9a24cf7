import { checkOptions, normalizeAxis, refuse } from "@qkv/core";
import { checkBoolean } from "../check-boolean.js";
import { alongAxis } from "../along-axis.js";
import { topKIndices } from "../top-k-indices.js";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";
import { gatherOp } from "./gather.js";

type TopK = { readonly axis: number; readonly k: number; readonly largest: boolean };

export const topKPlacesOp = /* @__PURE__ */ Object.assign(
  /* @__PURE__ */ alongAxis<TopK>("topK", (out, o, outStep, x, i, xStep, n, { k, largest }) => {
    const values = new Float64Array(n);
    const sign = largest ? 1 : -1;
    for (let p = 0; p < n; p++) values[p] = sign * x[i + p * xStep]!;
    const places = topKIndices(values, k);
    for (let p = 0; p < k; p++) out[o + p * outStep] = places[p]!;
  }),
  {
    infer: (([x], { axis, k }) => [
      { shape: x!.shape.map((length, a) => (a === axis ? k : length)), dtype: "int32" },
    ]) satisfies Op<TopK>["infer"],
  },
);

/**
 * The `k` largest numbers along an axis, the largest first, and their indices. Of equal numbers the first ones are selected, and NaN
 * only if there are too few numbers. The gradient goes to the original positions.
 *
 * @param k - From 0 to the length of the axis.
 * @param options - `axis`: default the last. `largest`: false for the smallest. Default true.
 * @returns `values` with the dtype of `x`, and `indices` in int32.
 * @throws {ArgumentError} If the axis has fewer than `k` numbers.
 *
 * @example
 * ```ts
 * import { tensor, topK } from "@qkv/tensor";
 *
 * const { values, indices } = topK(tensor([3, 1, 7, 5]), 2);
 * values.toNested(); // => [7, 5]
 * indices.toNested(); // => [2, 3]
 * ```
 */
export function topK(
  x: Tensor,
  k: number,
  options?: { axis?: number; largest?: boolean },
): { values: Tensor; indices: Tensor } {
  const { axis = -1, largest = true } = checkOptions("topK", options, ["axis", "largest"]);
  checkBoolean("topK", "largest", largest);
  const at = normalizeAxis("topK", axis, checkTensor("topK", "x", x).shape.length);
  if (!Number.isInteger(k) || k < 0 || k > x.shape[at]!) {
    refuse(
      "topK",
      "k",
      k,
      `an integer from 0 to ${x.shape[at]}, the length of axis ${at}`,
      "ask for at most as many numbers as there are.",
    );
  }
  const indices = run(topKPlacesOp, [x], { axis: at, k, largest });
  return { values: run(gatherOp, [x, indices], { axis: at }), indices };
}
