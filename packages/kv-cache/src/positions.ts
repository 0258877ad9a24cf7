import type { KeyValues } from "@qkv/attention-contract";

/** True if all numbers are equal. */
export function allEqual(numbers: readonly number[]): boolean {
  return numbers.every((n) => n === numbers[0]);
}

/** Positions 0, 1, 2, … of sequences of these lengths: `{ start: 0 }`, or `[B, S]` with shorter sequences padded with -1. */
export function contiguousPositions(lengths: readonly number[]): KeyValues["positions"] {
  if (allEqual(lengths)) return { start: 0 };
  const S = Math.max(...lengths);
  return Int32Array.from({ length: lengths.length * S }, (_, n) =>
    n % S < lengths[Math.floor(n / S)]! ? n % S : -1,
  );
}

/** Rows of positions, one per sequence or head, in the form of `KeyValues`: a start, one row if all are equal, or all rows. */
export function mergePositions(rows: readonly (readonly number[])[]): KeyValues["positions"] {
  const [first = []] = rows;
  const same = rows.every((row) => row.every((position, s) => position === first[s]));
  if (!same) return Int32Array.from(rows.flat());
  const start = first[0] ?? 0;
  if (start >= 0 && first.every((position, s) => position === start + s)) return { start };
  return Int32Array.from(first);
}

/** Replaces positions in the sequence by ranks in the cache, 0, 1, 2, …, as in StreamingLLM. `keys`: number of stored keys, S. */
export function positionsInCache(positions: KeyValues["positions"], keys: number): KeyValues["positions"] {
  if ("start" in positions) return { start: 0 };
  const rows = positions.length / keys;
  return mergePositions(
    Array.from({ length: rows }, (_, b) => {
      const row = positions.subarray(b * keys, (b + 1) * keys);
      const sorted = row.filter((position) => position >= 0).sort();
      const ranks = new Map(Array.from(sorted, (position, rank) => [position, rank]));
      return Array.from(row, (position) => ranks.get(position) ?? -1);
    }),
  );
}
