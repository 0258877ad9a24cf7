import { checks } from "@qkv/core";
import { checkReach, checkWhole } from "./check-call.js";
import type { Reach } from "./model-shape.js";

/**
 * Returns the number of query-key pairs that a head computes: queries are the last `queryLength` of `keyLength` positions.
 *
 * @param tileSize - 1 counts the pairs that are seen. A kernel that works in square tiles computes every pair of each
 *   tile of which it sees one; give its tile to count those.
 * @throws {ArgumentError} If a length is no whole number, or there are more queries than positions.
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

/** The same, for lengths that were checked before. */
export function countPairs(reach: Reach, queryLength: number, keyLength: number, tileSize = 1): number {
  if (reach.kind === "all") return queryLength * keyLength;
  if (tileSize > 1) return pairsInTiles(reach, queryLength, keyLength, tileSize);
  const before = keyLength - queryLength;
  if (reach.kind === "around") {
    // Each query sees so many on its left, as many on its right, and itself.
    const left = upTo(reach, keyLength) - upTo(reach, before) - queryLength;
    const right = upTo(reach, queryLength) - queryLength;
    return left + right + queryLength;
  }
  return upTo(reach, keyLength) - upTo(reach, before);
}

/** Pairs of the first `n` positions, each with itself and what it sees before it. */
function upTo(reach: Reach, n: number): number {
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

/** Tiles of queries start at the first query, tiles of keys at the first key. */
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

/** Number of stored keys that the last queries read together. */
export function keysRead(reach: Reach, queryLength: number, keyLength: number): number {
  const [oldest] = keyRange(reach, keyLength - queryLength, keyLength);
  return keyLength - oldest;
}

/** Number of keys of a sequence that a layer keeps for later tokens. */
export function keysKept(reach: Reach, length: number): number {
  return reach.kind === "window" || reach.kind === "chunk" ? Math.min(length, reach.size) : length;
}
