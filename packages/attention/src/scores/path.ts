import { checks } from "@qkv/core";
import { concat, expandDims, matmul, mul, pad, slice, sub, transpose, type Tensor } from "@qkv/tensor";
import { checkTable } from "../biases/check-table.js";
import type { ScoreForm } from "../score-form.js";
import { checkShape } from "./check-shape.js";

export type PathOptions = {
  /** w, the direction along which a position reflects queries, `[B, H, S, D]`; usually of unit norm. */
  direction: Tensor;
  /**
   * β, the strength of the reflection, `[B, H, S]`: 0 leaves queries as they are; 2, with w of unit norm, is a full
   * reflection.
   */
  beta: Tensor;
};

/**
 * PaTH attention: a position encoding made of the data. On its way to a key, a query passes the positions in between
 * from its own down to the one after the key, and each applies its Householder-like map:
 * `scale · q_i (I − β_i w_i w_iᵀ) … (I − β_{j+1} w_{j+1} w_{j+1}ᵀ) k_j`. Rope rotates by the distance alone; these maps
 * depend on the tokens in between. Keys after the query have no score: call it with a causal mask.
 *
 * A gate on top is a bias: `forgetting(logGates)`. This plain form walks over the keys and holds `[B, H, T, D]`.
 *
 * @returns A form for {@link plainAttention}.
 * @throws {ShapeError} If `direction` or `beta` has another shape.
 * @see "PaTH Attention: Position Encoding via Accumulating Householder Transformations" (2025), arXiv:2505.16381
 *
 * @example
 * ```ts
 * import { causal, path, plainAttention } from "@qkv/attention";
 * import { tensor } from "@qkv/tensor";
 *
 * const x = tensor([[[[1, 0], [1, 0]]]]); // [B, H, T, D]
 * const beta = tensor([[[0, 2]]]); // the second position reflects along w = [1, 0]
 * const forms = [path({ direction: x, beta })];
 * plainAttention(x, x, x, { mask: causal(), scale: 1, forms }).scores.toNested(); // => [[[[1, -Infinity], [-1, 1]]]]
 * ```
 */
export function path(options: PathOptions): ScoreForm {
  const { direction, beta } = checks("path").options(options, ["direction", "beta"]);
  checkTable("path", "direction", direction);
  checkTable("path", "beta", beta);
  return {
    name: "path({ direction, beta })",
    dots({ query, key, scale }) {
      const fix = "give one for every position of each query head, those of the cache included.";
      checkShape("path", "direction", direction, "[B, H, S, D]", key.shape, fix);
      checkShape("path", "beta", beta, "[B, H, S]", key.shape.slice(0, 3), fix);
      const [T, S] = [query.shape[2]!, key.shape[2]!];
      const at = (x: Tensor, j: number) => slice(x, 2, j, j + 1);
      const columns: Tensor[] = [];
      // The queries at or after key j, each as it is after the positions from its own down to j + 1.
      let passing: Tensor | undefined;
      for (let j = S - 1; j >= 0; j--) {
        const first = Math.max(0, j - (S - T)); // index of the first of them
        if (j >= S - T) {
          const own = at(query, first);
          passing = passing ? concat([own, passing], 2) : own;
        }
        const queries: Tensor = passing!;
        columns.unshift(pad(matmul(queries, transpose(at(key, j))), 2, first, 0)); // [B, H, T, 1]
        const along = mul(matmul(queries, transpose(at(direction, j))), expandDims(at(beta, j), 3));
        passing = sub(queries, mul(along, at(direction, j)));
      }
      return mul(concat(columns, 3), scale);
    },
  };
}
