import { add, matmul, mul, square, sub, sum, transpose, type Tensor } from "@qkv/tensor";
import type { ScoreForm } from "../score-form.js";

/**
 * Replaces dot products by negative squared distances: `−scale · ‖q − k‖²`. The nearest key has the largest score, whatever the norms
 * of other keys, and scores are at most 0. With dot products, in contrast, a longer key in the same direction always has the larger
 * score.
 *
 * For queries and keys of unit norm, the weights equal those of cosine attention with twice the scale.
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
      const dots = matmul(query, transpose(key));
      const distances = sub(add(squares(query), transpose(squares(key))), mul(dots, 2)); // ‖q‖² + ‖k‖² − 2 q·k
      return mul(distances, -scale); // [B, H, T, S]
    },
  };
}
