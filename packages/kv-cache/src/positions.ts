import type { KeyValues } from "@qkv/attention-contract";

/** Whether all batches have the same number. */
export function even(numbers: readonly number[]): boolean {
  return numbers.every((n) => n === numbers[0]);
}

/** Where keys stand that lie from 0 on without gaps, padded to the longest batch. */
export function positionsFrom0(lengths: readonly number[]): KeyValues["positions"] {
  if (even(lengths)) return { start: 0 };
  const S = Math.max(...lengths);
  return Int32Array.from({ length: lengths.length * S }, (_, n) =>
    n % S < lengths[Math.floor(n / S)]! ? n % S : -1,
  );
}

/** Rows of positions, one for each batch, as attention takes them: from a start, once for all, or each its own. */
export function joinPositions(rows: readonly (readonly number[])[]): KeyValues["positions"] {
  const [first = []] = rows;
  const same = rows.every((row) => row.every((position, s) => position === first[s]));
  if (!same) return Int32Array.from(rows.flat());
  const start = first[0] ?? 0;
  if (start >= 0 && first.every((position, s) => position === start + s)) return { start };
  return Int32Array.from(first);
}

/** The same keys counted by their place in the cache: 0, 1, 2, … in order of position, whatever is missing between. */
export function placesInCache(positions: KeyValues["positions"], keys: number): KeyValues["positions"] {
  if ("start" in positions) return { start: 0 };
  const rows = positions.length / keys;
  return joinPositions(
    Array.from({ length: rows }, (_, b) => {
      const own = positions.subarray(b * keys, (b + 1) * keys);
      const sorted = own.filter((position) => position >= 0).sort();
      return Array.from(own, (position) => (position < 0 ? -1 : sorted.indexOf(position)));
    }),
  );
}
