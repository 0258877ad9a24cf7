import type { Mask, Places, ScoreMod } from "@qkv/attention-contract";
import { cast, logicalAnd, slice, type Tensor } from "@qkv/tensor";
import { denseLookup } from "./biases/dense-lookup.js";

/**
 * The part of a mask that the host knows, and for truth values that are pending on a device a rule that looks them up there. Tiles
 * are skipped by the first part alone.
 *
 * @param lengths - Length of each sequence, or one where all are alike.
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
  // A mask refuses a length that it has no columns for, so that each is asked for; the longest has them all.
  const seen = [...new Set(lengths)]
    .sort((a, b) => a - b)
    .map((keyLength) =>
      visible
        .map((one) => one({ queryLength: queries, keyLength, batches, heads }))
        .reduce((a, b) => logicalAnd(a, b)),
    )
    .at(-1)!;
  const firstKey = "start" in positions ? positions.start : 0;
  const stored = firstKey > 0 && seen.shape.at(-1)! > 1 ? slice(seen, -1, firstKey) : seen;
  // Compared and not added: a table of numbers that only decide gets no gradient.
  const isSeen = denseLookup(cast(stored, query.dtype), places);
  return { rule, hidden: (score, at) => isSeen(at).equal(0).where(-Infinity, score) };
}
