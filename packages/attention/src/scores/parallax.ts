import { add, matmul, mul, sub, sum, transpose, type Tensor } from "@qkv/tensor";
import { checkTable } from "../biases/check-table.js";
import type { ScoreForm } from "../score-form.js";
import { checkShape } from "./check-shape.js";

/**
 * Parallax: softmax attention with a first-order correction. A second query `r` scores the keys, `s = r · k`, and each
 * weight is multiplied by `1 + mean(s) − s`, the mean taken with the weights themselves: what attention to a constant
 * misses is taken back where `r` says so. The weights still sum to 1, and may be negative.
 *
 * @param correction - r, `[B, H, T, D]`, as the queries; not scaled. Zeros give softmax attention.
 * @returns A form for {@link plainAttention}.
 * @throws {ShapeError} If it is not as the queries are.
 * @see "Parallax: Parameterized Local Linear Attention" (2026), arXiv:2605.29157
 *
 * @example
 * ```ts
 * import { attention, parallax, plainAttention } from "@qkv/attention";
 * import { randn, zeros } from "@qkv/tensor";
 *
 * const x = randn([1, 2, 3, 4], { seed: 1 }); // [B, H, T, D]
 * const { output } = plainAttention(x, x, x, { forms: [parallax(zeros([1, 2, 3, 4]))] });
 * Math.abs(output.data[0]! - attention(x, x, x).data[0]!) < 1e-6; // => true
 * ```
 */
export function parallax(correction: Tensor): ScoreForm {
  checkTable("parallax", "correction", correction);
  return {
    name: "parallax(correction)",
    weights(weights, { query, key }) {
      const fix = "give one second query for each query.";
      checkShape("parallax", "correction", correction, "[B, H, T, D]", query.shape, fix);
      const scores = matmul(correction, transpose(key)); // [B, H, T, S]
      const mean = sum(mul(weights, scores), { axis: -1, keepDims: true });
      return mul(weights, sub(add(mean, 1), scores));
    },
  };
}
