import type { KeyValues } from "@qkv/attention-contract";

/** True if all numbers are equal. */
export function allEqual(numbers: readonly number[]): boolean {
  return numbers.every((n) => n === numbers[0]);
}

/** Positions of keys without gaps, counted from 0 and padded with -1 to the longest batch. */
export function contiguousPositions(lengths: readonly number[]): KeyValues["positions"] {
  if (allEqual(lengths)) return { start: 0 };
  const S = Math.max(...lengths);
  return Int32Array.from({ length: lengths.length * S }, (_, n) =>
    n % S < lengths[Math.floor(n / S)]! ? n % S : -1,
  );
}

/** Positions of all batches in the form of `KeyValues`: a start, one row for all, or one row each. */
export function mergePositions(rows: readonly (readonly number[])[]): KeyValues["positions"] {
  const [first = []] = rows;
  const same = rows.every((row) => row.every((position, s) => position === first[s]));
  if (!same) return Int32Array.from(rows.flat());
  const start = first[0] ?? 0;
  if (start >= 0 && first.every((position, s) => position === start + s)) return { start };
  return Int32Array.from(first);
}

/** Positions counted within the cache, 0, 1, 2, …, in order of the original positions (StreamingLLM). */
export function positionsInCache(positions: KeyValues["positions"], keys: number): KeyValues["positions"] {
  if ("start" in positions) return { start: 0 };
  const rows = positions.length / keys;
  return mergePositions(
    Array.from({ length: rows }, (_, b) => {
      const own = positions.subarray(b * keys, (b + 1) * keys);
      const sorted = own.filter((position) => position >= 0).sort();
      return Array.from(own, (position) => (position < 0 ? -1 : sorted.indexOf(position)));
    }),
  );
}
