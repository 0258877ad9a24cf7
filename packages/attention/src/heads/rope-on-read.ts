import { type KeyValues, denseSegment, keyLengthsOf, segmentLength } from "@qkv/attention-contract";
import { concat, slice } from "@qkv/tensor";
import type { Positions } from "../positions/places-of.js";
import type { Rope } from "../positions/rope.js";

/**
 * Keys and values of a cache of unrotated keys, the keys rotated by their place in the cache; and the positions of the
 * last `T` of them, the new tokens. The rotated keys are a copy: that is the price of keys that can move.
 */
export function ropeOnRead(
  rope: Rope | undefined,
  held: KeyValues,
  B: number,
  T: number,
): { read: KeyValues; positions: Positions } {
  const { key, value, positions } = held;
  const last = lastPositions(held, B, T);
  if (!rope) return { read: held, positions: last };
  // In one piece, since some scalings look at the longest distance of all.
  const dense = concat(
    key.map((part) => denseSegment(part, B)),
    2,
  );
  const rotated = rope.apply(dense, positions);
  let start = 0;
  const parts = key.map((part) => slice(rotated, 2, start, (start += segmentLength(part))));
  return { read: { key: parts, value, positions }, positions: last };
}

/** Positions of the last `T` of the keys that are held: the new tokens. */
export function lastPositions({ key, positions }: KeyValues, B: number, T: number): Positions {
  const keys = key.reduce((sum, part) => sum + segmentLength(part), 0);
  const lengths = keyLengthsOf(positions, keys, B);
  if (lengths.length === 1) return { start: lengths[0]! - T };
  return Int32Array.from({ length: B * T }, (_, n) => lengths[Math.floor(n / T)]! - T + (n % T));
}
