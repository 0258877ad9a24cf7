import type { Reach } from "./model-shape.js";
/**
 * How many pairs of query and key a head computes: queries are the last `queryLength` of `keyLength` positions.
 *
 * @param tileSize - 1 counts the pairs that are seen. A kernel that works in square tiles computes every pair of each
 *   tile of which it sees one; give its tile to count those.
 */
export declare function pairsSeen(
  reach: Reach,
  queryLength: number,
  keyLength: number,
  tileSize?: number,
): number;
/** How many stored keys the last queries read between them. */
export declare function keysRead(reach: Reach, queryLength: number, keyLength: number): number;
/** How many keys of a sequence a layer must keep for the tokens to come. */
export declare function keysKept(reach: Reach, length: number): number;
