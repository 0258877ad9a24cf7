import { checks, ShapeError } from "@qkv/core";
import {
  add,
  cast,
  ceil,
  clamp,
  cumsum,
  floor,
  gather,
  matmul,
  mul,
  sigmoid,
  stopGradient,
  sub,
  transpose,
  where,
  type Tensor,
} from "@qkv/tensor";
import { checkTable } from "../biases/check-table.js";
import type { ScoreForm } from "../score-form.js";

/**
 * Contextual position encoding: positions depend on the content. Each score gives a gate, `σ(s)`, and the position of a key is the sum
 * of the gates from the key up to the query, so a head can count words, sentences or names. The position selects a row of a table, with
 * linear interpolation between rows, and the dot product of the query with it is added to the score.
 *
 * For causal attention. Places beyond the table take its last row. Gradients flow to the table and through the gates.
 *
 * @param table - A learned vector for each place, `[P, D]`, for all heads.
 * @returns A form for {@link plainAttention}.
 * @throws {ShapeError} If the table does not have two axes, or its rows are not as long as queries.
 * @see "Contextual Position Encoding: Learning to Count What's Important" (2024), arXiv:2405.18719
 *
 * @example
 * ```ts
 * import { causal, cope, plainAttention } from "@qkv/attention";
 * import { tensor, zeros } from "@qkv/tensor";
 *
 * const query = tensor([[[[1], [1]]]]); // [B, H, T, D]
 * const key = zeros([1, 1, 2, 1]); // every gate is a half
 * const forms = [cope(tensor([[0], [4]]))];
 * plainAttention(query, key, key, { mask: causal(), forms }).scores.toNested(); // => [[[[2, -Infinity], [4, 2]]]]
 * ```
 */
export function cope(table: Tensor): ScoreForm {
  const shape = checkTable("cope", "table", table);
  const fix = "give a vector of the size of a head for each place.";
  const check = checks("cope");
  if (shape.length !== 2 || shape[0] === 0)
    check.refuse({ argument: "table", received: shape, expected: "[P, D]", fix }, ShapeError);
  const last = shape[0]! - 1;
  return {
    name: `cope([${shape.join(", ")}])`,
    scores(scores, { query, visible }) {
      const D = query.shape[3]!;
      if (shape[1] !== D)
        check.refuse({ argument: "table", received: shape, expected: `[P, D = ${D}]`, fix }, ShapeError);
      const gates = where(visible, sigmoid(scores), 0);
      const place = clamp(cumsum(gates, 3, { reverse: true }), { max: last }); // [B, H, T, S]
      const byPlace = matmul(query, transpose(table)); // [B, H, T, P]
      const below = stopGradient(floor(place));
      const row = (at: Tensor) => gather(byPlace, 3, cast(at, "int32"));
      const fraction = sub(place, below);
      const between = add(mul(row(ceil(stopGradient(place))), fraction), mul(row(below), sub(1, fraction)));
      return add(scores, between);
    },
  };
}
