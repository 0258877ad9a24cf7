import { add, matmul, mul, square, sub, sum, transpose, type Tensor } from "@qkv/tensor";
import type { ScoreForm } from "../score-form.js";

/**
 * Scores by distance instead of dot product: `−scale · ‖q − k‖²`. The nearest key has the largest score, however long
 * other keys are, and scores are bounded above by 0; with the dot product a query cannot prefer a key to a longer one
 * in the same direction.
 *
 * With queries and keys of length 1 the weights are those of cosine attention with twice the scale.
 *
 * @returns A form for {@link plainAttention}.
 * @see "The Lipschitz Constant of Self-Attention" (2020), arXiv:2006.04710
 *
 * @example
 * ```ts
 * import { l2Distance, plainAttention } from "@qkv/attention";
 * import { tensor } from "@qkv/tensor";
 *
 * const query = tensor([[[[1, 0]]]]); // [B, H, T, D]
 * const key = tensor([[[[1, 0], [9, 0]]]]);
 * plainAttention(query, key, key, { scale: 1, forms: [l2Distance()] }).scores.toNested(); // => [[[[0, -64]]]]
 * ```
 */
export function l2Distance(): ScoreForm {
  return {
    name: "l2Distance()",
    dots({ query, key, scale }) {
      const squares = (x: Tensor) => sum(square(x), { axis: -1, keepDims: true });
      const apart = sub(add(squares(query), transpose(squares(key))), mul(matmul(query, transpose(key)), 2));
      return mul(apart, -scale); // [B, H, T, S]
    },
  };
}
