import { type KeyValues, denseSegment, keyLengths, segmentLength } from "@qkv/attention-contract";
import { concat, slice } from "@qkv/tensor";
import type { Positions } from "../positions/places-of.js";
import type { Rope } from "../positions/rope.js";

/**
 * Rotates the keys of a cache of unrotated keys by their index in the cache. Also returns the positions of the last `T` keys, those
 * of the new tokens. The rotated keys are a copy.
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
  // All keys are rotated in one call, since some scalings depend on the largest position.
  const dense = concat(
    key.map((part) => denseSegment(part, B)),
    2,
  );
  const rotated = rope.apply(dense, positions);
  let start = 0;
  const parts = key.map((part) => slice(rotated, 2, start, (start += segmentLength(part))));
  return { read: { key: parts, value, positions }, positions: last };
}

/** Positions of the last `T` stored keys, those of the new tokens. */
export function lastPositions({ key, positions }: KeyValues, B: number, T: number): Positions {
  const keys = key.reduce((sum, part) => sum + segmentLength(part), 0);
  const lengths = keyLengths(positions, keys, B);
  if (lengths.length === 1) return { start: lengths[0]! - T };
  return Int32Array.from({ length: B * T }, (_, n) => lengths[Math.floor(n / T)]! - T + (n % T));
}
