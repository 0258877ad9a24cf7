import { type KeyValues, denseSegment, keyLengths, segmentLength } from "@qkv/attention-contract";
import { concat, slice } from "@qkv/tensor";
import type { Positions } from "../positions/places-of.js";
import type { Rope } from "../positions/rope.js";

/**
 * Rotates the keys that a cache of unrotated keys stores by their index in the cache. Also returns the positions of the last `T` keys,
 * those of the new tokens. The rotated keys are a copy.
 */
export function ropeOnRead(
  rope: Rope | undefined,
  stored: KeyValues,
  B: number,
  T: number,
): { rotated: KeyValues; positions: Positions } {
  const { key, value, positions } = stored;
  const last = lastPositions(stored, B, T);
  if (!rope) return { rotated: stored, positions: last };
  // All keys are rotated in one call, since some scalings depend on the largest position.
  const dense = concat(
    key.map((segment) => denseSegment(segment, B)),
    2,
  );
  const rotatedKeys = rope.apply(dense, positions); // [B, Hkv, S, D]
  let start = 0;
  const segments = key.map((segment) => {
    const end = start + segmentLength(segment);
    const rotatedSegment = slice(rotatedKeys, 2, start, end);
    start = end;
    return rotatedSegment;
  });
  return { rotated: { key: segments, value, positions }, positions: last };
}

/** Positions of the last `T` stored keys, those of the new tokens. */
export function lastPositions({ key, positions }: KeyValues, B: number, T: number): Positions {
  const keys = key.reduce((sum, segment) => sum + segmentLength(segment), 0);
  const lengths = keyLengths(positions, keys, B);
  if (lengths.length === 1) return { start: lengths[0]! - T };
  return Int32Array.from({ length: B * T }, (_, n) => lengths[Math.floor(n / T)]! - T + (n % T));
}
