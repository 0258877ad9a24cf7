import { checks, ShapeError } from "@qkv/core";
import type { Tensor } from "@qkv/tensor";
import { lookup, type ScoreMod } from "@qkv/attention-contract";
import { scoreMod } from "../score-mod.js";
import { checkTable } from "./check-table.js";

/**
 * Adds a learned number to each score, one for each head and each distance up to `K`; more distant keys share the last
 * entry. Row `K + r` of the table belongs to the key `r` positions after the query (before it if `r` is negative).
 *
 * @param table - `[2 K + 1, H]`, to which gradients flow.
 * @returns A bias for {@link attention}.
 * @throws {ShapeError} If the table does not have two axes, or an even number of rows.
 * @see "Self-Attention with Relative Position Representations" (2018), arXiv:1803.02155, for the clipped distance;
 *   "Swin Transformer" (2021), arXiv:2103.14030, section 3.2, for one number per distance
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@qkv/tensor";
 * import { learnedRelative, tracedAttention } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 3, 4]); // [B, H, T, D]: all keys match equally
 * const table = tensor([[1], [2], [3]]); // [2 K + 1, H]: one or more before, itself, one or more after
 * const { scores } = tracedAttention(x, x, x, { bias: learnedRelative(table) }, ["scores"]);
 * scores.toNested(); // => [[[[2, 3, 3], [1, 2, 3], [1, 1, 2]]]]
 * ```
 */
export function learnedRelative(table: Tensor): ScoreMod {
  const shape = checkTable("learnedRelative", "table", table);
  const [rows, numHeads] = shape as [number, number];
  if (shape.length !== 2 || rows % 2 === 0 || numHeads === 0) {
    const fix = "give an odd number of rows: K distances before the query, none, and K after it.";
    checks("learnedRelative").refuse(
      { argument: "table", received: shape, expected: "[2 K + 1, H]", fix },
      ShapeError,
    );
  }
  const farthest = (rows - 1) / 2;
  return scoreMod(
    // A lookup beyond the table stays at its ends, which clips the distance.
    (score, at) => score.add(lookup(table, at.key.sub(at.query).add(farthest), at.head)),
    `learnedRelative([${shape.join(", ")}])`,
    numHeads,
  );
}
