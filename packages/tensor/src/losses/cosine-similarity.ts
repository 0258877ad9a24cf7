import { broadcastShapes, checkOptions, checks, normalizeAxis } from "@qkv/core";
import type { AxisOptions } from "../along-axis.js";
import { floatTensor } from "../float-tensor.js";
import { broadcastTo } from "../ops/broadcast-to.js";
import { div } from "../ops/div.js";
import { maximum } from "../ops/maximum.js";
import { mul } from "../ops/mul.js";
import { normFor } from "../ops/norm.js";
import { sum } from "../ops/sum.js";
import type { Tensor } from "../tensor.js";

/**
 * The cosine of the angle between vectors: their dot product divided by both lengths, from −1 to 1.
 *
 * @param a - `[…, D]`
 * @param b - The dtype of `a`; the shapes broadcast.
 * @param options - `axis`: the axis of the vectors, default the last. `eps`: lower limit of the norms in the denominator,
 *   default 1e-8.
 * @returns The broadcast shape without the axis.
 * @throws {ShapeError} If the shapes do not broadcast.
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { cosineSimilarity } from "@qkv/tensor/losses";
 *
 * cosineSimilarity(tensor([[1, 0], [0, 2]]), tensor([3, 0])).toNested(); // => [1, 0]
 * ```
 */
export function cosineSimilarity(a: Tensor, b: Tensor, options?: AxisOptions & { eps?: number }): Tensor {
  const fn = "cosineSimilarity";
  const { axis = -1, eps = 1e-8 } = checkOptions(fn, options, ["axis", "eps"]);
  checks(fn).finite({ eps }, { above: 0 });
  const shape = broadcastShapes(fn, floatTensor(fn, "a", a).shape, floatTensor(fn, "b", b).shape);
  // Counted from the right, because broadcasting aligns shapes there.
  const along = normalizeAxis(fn, axis, shape.length) - shape.length;
  // Broadcasting along the axis changes the norm of a vector.
  const vectors = [a, b].map((x) => (x.shape.at(along) === shape.at(along) ? x : broadcastTo(x, shape)));
  const lengths = vectors.map((x) => maximum(normFor(fn, x, 2, { axis: along, keepDims: true }), eps)) as [
    Tensor,
    Tensor,
  ];
  const unit = (i: 0 | 1) => div(vectors[i]!, lengths[i]);
  return sum(mul(unit(0), unit(1)), { axis: along });
}
