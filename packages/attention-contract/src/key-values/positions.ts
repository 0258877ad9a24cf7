import type { Cache } from "../cache.js";
import type { KeyValues } from "./key-values.js";

/** Positions of the stored keys: one array for all batches, one per batch, or one per batch and key-value head. */
export function keyPositions(positions: KeyValues["positions"], S: number): Int32Array[] {
  if ("start" in positions) {
    const consecutive = new Int32Array(S);
    for (let s = 0; s < S; s++) consecutive[s] = positions.start + s;
    return [consecutive];
  }
  if (positions.length === S) return [positions];
  return Array.from({ length: positions.length / S }, (_, b) => positions.subarray(b * S, (b + 1) * S));
}

/** Index of the list of a batch and key-value head, among the `lists` of {@link keyPositions}. */
export function positionList(lists: number, batches: number, batch: number, kvHead: number): number {
  if (lists === 1) return 0;
  return lists === batches ? batch : batch * (lists / batches) + kvHead;
}

/** True if key-value heads hold keys of different positions. */
export function differByHead(positions: KeyValues["positions"], batches: number, S: number): boolean {
  return !("start" in positions) && positions.length > batches * S;
}

/** The position of a batch's first query. */
export function firstQueryOf(firstQuery: number | Int32Array, batch: number): number {
  return typeof firstQuery === "number" ? firstQuery : firstQuery[batch]!;
}

/**
 * Length of each sequence up to its last key, in whichever head: queries are the last positions of it. One number where
 * all batches have the same length.
 */
export function keyLengthsOf(
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
      .reduce((length, own) => own.reduce((a, position) => Math.max(a, position + 1), length), 0),
  );
  return lengths.every((length) => length === lengths[0]) ? lengths.slice(0, 1) : lengths;
}

/**
 * Positions of `count` new tokens: after what a cache has seen, each batch after its own tokens.
 *
 * @param cache - Undefined: there is none, and the tokens are the first ones.
 * @returns A start, or positions `[B, count]` where batches differ in length.
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
