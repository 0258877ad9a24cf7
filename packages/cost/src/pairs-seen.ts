import { checks } from "@qkv/core";
import { checkReach, checkWhole } from "./check-call.js";
import type { Reach } from "./model-shape.js";

/**
 * Returns the number of query-key pairs that a head computes. Queries are the last `queryLength` of `keyLength` positions.
 *
 * @param tileSize - Side of the kernel's square tiles; it computes all pairs of a tile with at least one visible pair. Default 1:
 *   only visible pairs. Unit: tokens.
 * @throws {ArgumentError} If a length is not an integer, or there are more queries than positions.
 */
export function pairsSeen(reach: Reach, queryLength: number, keyLength: number, tileSize = 1): number {
  const check = checks("pairsSeen");
  checkReach(check, reach);
  checkWhole(check, { queryLength, keyLength }, 0, "tokens");
  const fix = "count the queries too: they are the last of the keys' positions.";
  check.whole({ keyLength }, { min: reach.kind === "all" ? 0 : queryLength, unit: "tokens", fix });
  checkWhole(check, { tileSize }, 1, "positions");
  return countPairs(reach, queryLength, keyLength, tileSize);
}

/** {@link pairsSeen} without checks. */
export function countPairs(reach: Reach, queryLength: number, keyLength: number, tileSize = 1): number {
  if (reach.kind === "all") return queryLength * keyLength;
  if (tileSize > 1) return pairsInTiles(reach, queryLength, keyLength, tileSize);
  const before = keyLength - queryLength;
  if (reach.kind === "around") {
    // Each query sees `size` keys on its left, as many on its right, and itself.
    const left = pairsInPrefix(reach, keyLength) - pairsInPrefix(reach, before) - queryLength;
    const right = pairsInPrefix(reach, queryLength) - queryLength;
    return left + right + queryLength;
  }
  return pairsInPrefix(reach, keyLength) - pairsInPrefix(reach, before);
}

/** Pairs of the first `n` positions, as queries, with the keys up to themselves. */
function pairsInPrefix(reach: Reach, n: number): number {
  const triangle = (k: number) => (k * (k + 1)) / 2;
  switch (reach.kind) {
    case "chunk":
      return Math.floor(n / reach.size) * triangle(reach.size) + triangle(n % reach.size);
    case "window":
    case "around": {
      const size = reach.kind === "window" ? reach.size : reach.size + 1;
      return n <= size ? triangle(n) : triangle(size) + (n - size) * size;
    }
    default:
      return triangle(n);
  }
}

/** Pairs in all tiles with a visible pair. Tiles of queries start at the first query, tiles of keys at the first key. */
function pairsInTiles(reach: Reach, queryLength: number, keyLength: number, tileSize: number): number {
  let pairs = 0;
  for (let row = 0; row < queryLength; row += tileSize) {
    const height = Math.min(tileSize, queryLength - row);
    const [oldest] = keyRange(reach, keyLength - queryLength + row, keyLength);
    const [, newest] = keyRange(reach, keyLength - queryLength + row + height - 1, keyLength);
    const start = Math.floor(oldest / tileSize) * tileSize;
    const end = Math.min(keyLength, (Math.floor(newest / tileSize) + 1) * tileSize);
    pairs += height * (end - start);
  }
  return pairs;
}

/** The first and the last key that the query at a position sees. */
function keyRange(reach: Reach, position: number, keyLength: number): [number, number] {
  switch (reach.kind) {
    case "window":
      return [Math.max(0, position - reach.size + 1), position];
    case "chunk":
      return [Math.floor(position / reach.size) * reach.size, position];
    case "around":
      return [Math.max(0, position - reach.size), Math.min(keyLength - 1, position + reach.size)];
    default:
      return [0, reach.kind === "all" ? keyLength - 1 : position];
  }
}

/** Number of keys that at least one of the last queries reads. */
export function keysRead(reach: Reach, queryLength: number, keyLength: number): number {
  const [oldest] = keyRange(reach, keyLength - queryLength, keyLength);
  return keyLength - oldest;
}

/** Number of keys of a sequence that a layer caches. */
export function keysCached(reach: Reach, length: number): number {
  return reach.kind === "window" || reach.kind === "chunk" ? Math.min(length, reach.size) : length;
}
