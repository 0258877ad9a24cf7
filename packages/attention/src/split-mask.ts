import type { Mask, Places, ScoreMod } from "@qkv/attention-contract";
import { cast, logicalAnd, slice, type Tensor } from "@qkv/tensor";
import { denseLookup } from "./biases/dense-lookup.js";

/**
 * Splits a mask into the part that is known on the host, and a rule that looks up the bool tensors that are pending on a device. Only the
 * first part decides which tiles are skipped.
 *
 * @param lengths - Length of each sequence, or one number if all are equal.
 */
export function splitMask(
  mask: Mask | undefined,
  query: Tensor,
  places: Places,
  lengths: readonly number[],
): { rule: Mask | undefined; hidden: ScoreMod["apply"] | undefined } {
  if (!mask?.pending) return { rule: mask, hidden: undefined };
  const { rule, visible } = mask.pending;
  const { batches, heads, queries, positions } = places;
  // The mask is requested for each length, so that it can refuse one for which it has no columns; that for the longest has all columns.
  const seen = [...new Set(lengths)]
    .sort((a, b) => a - b)
    .map((keyLength) =>
      visible
        .map((visibleFor) => visibleFor({ queryLength: queries, keyLength, batches, heads }))
        .reduce((a, b) => logicalAnd(a, b)),
    )
    .at(-1)!;
  const firstKey = "start" in positions ? positions.start : 0;
  const stored = firstKey > 0 && seen.shape.at(-1)! > 1 ? slice(seen, -1, firstKey) : seen;
  // The tables are compared, not added, so they receive no gradient.
  const isSeen = denseLookup(cast(stored, query.dtype), places);
  return { rule, hidden: (score, at) => isSeen(at).equal(0).where(-Infinity, score) };
}
