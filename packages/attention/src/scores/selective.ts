import { checks } from "@qkv/core";
import { arange, cumsum, equal, logicalNot, logicalAnd, relu, reshape, slice, sub, where } from "@qkv/tensor";
import type { ScoreForm } from "../score-form.js";

/**
 * Selective attention: a token can lower the scores of earlier tokens for all queries after it, "you need not look at
 * that any more". The scores of head 0 say by how much: their positive part, summed over the queries so far, is
 * subtracted in every head. A token does not mask itself, and the first token is never masked.
 *
 * For a whole sequence under a causal mask: the sums need the scores of all earlier queries.
 *
 * @returns A form for {@link plainAttention}.
 * @throws {ArgumentError} If there are not as many queries as keys.
 * @see "Selective Attention Improves Transformer" (2024), arXiv:2410.02703
 *
 * @example
 * ```ts
 * import { causal, plainAttention, selective } from "@qkv/attention";
 * import { ones } from "@qkv/tensor";
 *
 * const x = ones([1, 1, 3, 4]); // [B, H, T, D]: every score is 2
 * const { scores } = plainAttention(x, x, x, { mask: causal(), forms: [selective()] });
 * [...scores.data.slice(6)]; // => [2, 2, 2]
 * ```
 */
export function selective(): ScoreForm {
  return {
    name: "selective()",
    scores(scores, { visible }) {
      const [, , T, S] = scores.shape as [number, number, number, number];
      if (T !== S) {
        checks("selective").refuse({
          argument: "query",
          received: `of ${T} tokens beside ${S} keys`,
          expected: "as many queries as keys: what earlier queries masked is summed",
          fix: "call it without `cache`, with the whole sequence: a cache does not store the accumulated mask.",
        });
      }
      const index = arange(T, { device: scores.device });
      const [rows, columns] = [reshape(index, [T, 1]), reshape(index, [1, S])];
      const masks = logicalAnd(logicalNot(equal(rows, columns)), logicalNot(equal(columns, 0)));
      const first = where(logicalAnd(masks, slice(visible, 1, 0, 1)), slice(scores, 1, 0, 1), 0); // [B, 1, T, S]
      return sub(scores, cumsum(relu(first), 2, { exclusive: true }));
    },
  };
}
