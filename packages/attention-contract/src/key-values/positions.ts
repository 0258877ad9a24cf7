import type { Cache } from "../cache.js";
import type { KeyValues } from "./key-values.js";

/** Lists of the positions of S stored keys: one list for all sequences, one per sequence, or one per sequence and key-value head. */
export function keyPositions(positions: KeyValues["positions"], S: number): Int32Array[] {
  if ("start" in positions) {
    const consecutive = new Int32Array(S);
    for (let s = 0; s < S; s++) consecutive[s] = positions.start + s;
    return [consecutive];
  }
  if (positions.length === S) return [positions];
  return Array.from({ length: positions.length / S }, (_, b) => positions.subarray(b * S, (b + 1) * S));
}

/** Index of the list for a sequence and a key-value head, among the `lists` lists of {@link keyPositions}. */
export function positionList(lists: number, batches: number, batch: number, kvHead: number): number {
  if (lists === 1) return 0;
  return lists === batches ? batch : batch * (lists / batches) + kvHead;
}

/** True if key-value heads store keys of different positions. */
export function differByHead(positions: KeyValues["positions"], batches: number, S: number): boolean {
  return !("start" in positions) && positions.length > batches * S;
}

/** Position of the first query of a sequence. */
export function firstQueryPosition(firstQuery: number | Int32Array, batch: number): number {
  return typeof firstQuery === "number" ? firstQuery : firstQuery[batch]!;
}

/**
 * Length of each sequence: the largest position of a key in any head, plus 1. Queries are the last positions before that length.
 * If all sequences have the same length, the list has one number.
 */
export function keyLengths(
  positions: KeyValues["positions"],
  keys: number,
  batches: number,
): readonly number[] {
  if ("start" in positions) return [positions.start + keys];
  const lists = keyPositions(positions, keys);
  const heads = Math.max(1, lists.length / batches);
  const lengths = Array.from({ length: lists.length / heads }, (_, b) =>
    lists
      .slice(b * heads, (b + 1) * heads)
      .reduce((length, list) => list.reduce((a, position) => Math.max(a, position + 1), length), 0),
  );
  return lengths.every((length) => length === lengths[0]) ? lengths.slice(0, 1) : lengths;
}

/**
 * Positions of `count` new tokens, which follow the tokens that a cache has seen.
 *
 * @param cache - Undefined: the tokens are the first ones of their sequence.
 * @returns `{ start }`, or positions `[B, count]` if the sequences of the cache differ in length.
 *
 * @example
 * ```ts
 * import { positionsAfter } from "@qkv/attention-contract";
 *
 * positionsAfter(undefined, 3); // => { start: 0 }
 * positionsAfter({ length: 5, lengths: Int32Array.of(5, 2) }, 2); // => [5, 6, 2, 3]
 * ```
 */
export function positionsAfter(
  cache: Pick<Cache, "length" | "lengths"> | undefined,
  count: number,
): KeyValues["positions"] {
  const lengths = cache?.lengths;
  if (!lengths || lengths.every((length) => length === lengths[0])) return { start: cache?.length ?? 0 };
  return Int32Array.from(
    { length: lengths.length * count },
    (_, n) => lengths[Math.floor(n / count)]! + (n % count),
  );
}
