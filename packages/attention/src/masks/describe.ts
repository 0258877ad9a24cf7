import { checks } from "@qkv/core";
import { type Mask, tileIndex, tilePlan } from "@qkv/attention-contract";
import { checkMask } from "../mask.js";

/** Lengths that a mask is described over. Queries are the last `queryLength` of `keyLength` positions. */
export type DescribeExtent = {
  queryLength: number;
  keyLength: number;
  /** Index of the batch. Default 0. */
  batch?: number;
  /** Index of the head. Default 0. */
  head?: number;
};

export type MaskDescription = {
  readonly name: string;
  /** Pairs of query and key, and how many of them are seen. */
  readonly pairs: number;
  readonly seen: number;
  /** The share of pairs that is hidden: from 0, all seen, to 1. */
  readonly sparsity: number;
  /** Tiles of 64 queries and 64 keys: never read, tested pair by pair, taken whole. */
  readonly tiles: { readonly none: number; readonly some: number; readonly all: number };
  /** The share seen in each cell, row-major, for a picture; one cell a pair where both lengths are at most 32. */
  readonly picture: { readonly data: Float32Array; readonly shape: readonly [number, number] };
  /** The picture in letters: `·` hidden, `▒` partly seen, `█` seen. */
  readonly text: string;
};

/**
 * Describes a mask over given lengths: how sparse it is, how many tiles have to be computed, and a picture of it.
 *
 * @throws {ArgumentError} If it is no mask, or a length is no whole number.
 *
 * @example
 * ```ts
 * import { causal, describe } from "@qkv/attention";
 *
 * const { sparsity, text } = describe(causal(), { queryLength: 2, keyLength: 2 });
 * sparsity; // => 0.25
 * text; // => "█·\n██"
 * describe(causal(), { queryLength: 256, keyLength: 256 }).tiles; // => { none: 6, some: 4, all: 6 }
 * ```
 */
export function describe(mask: Mask, extent: DescribeExtent): MaskDescription {
  const { perBatch, perHead, name, bind } = checkMask("describe", "mask", mask);
  const check = checks("describe");
  const names = ["queryLength", "keyLength", "batch", "head"] as const;
  const { queryLength: T, keyLength: S, batch = 0, head = 0 } = check.options(extent, names, "extent");
  const fix = "give `{ queryLength, keyLength }`, and `batch` or `head` where the mask looks at them.";
  check.whole({ queryLength: T, keyLength: S, batch, head }, { min: 0, unit: "places", fix });
  const few = "describe a shorter stretch: every pair of query and key is looked at.";
  check.whole({ pairs: T * S }, { max: 2 ** 30, unit: "pairs", fix: few });
  const bound = bind({ queryLength: T, keyLength: S });
  const one = {
    sees: (query: number, key: number) => bound.sees(query, key, perBatch ? batch : 0, perHead ? head : 0),
    tile: (query: { first: number; last: number }, key: { first: number; last: number }) =>
      bound.tile(query, key, perBatch ? batch : 0, perHead ? head : 0),
  };
  const keyPositions = [Int32Array.from({ length: S }, (_, s) => s)];
  const plan = tilePlan(
    one,
    { batches: 1, heads: 1, queries: T, firstQuery: S - T, keyPositions },
    false,
    false,
  );
  const [rows, columns] = [Math.min(T, 32), Math.min(S, 32)];
  const cells = new Float32Array(rows * columns); // pairs seen, then their share
  const sizes = new Float32Array(rows * columns);
  let seen = 0;
  for (let t = 0; t < T; t++) {
    for (let s = 0; s < S; s++) {
      const tile = tileIndex(plan, 0, 0, Math.floor(t / plan.queryTile), Math.floor(s / plan.keyTile));
      const word =
        plan.bitsAt[tile]! + (t % plan.queryTile) * (plan.keyTile / 32) + ((s % plan.keyTile) >>> 5);
      const shown = plan.classes[tile] === 1 ? (plan.bits[word]! >>> (s & 31)) & 1 : plan.classes[tile]! / 2;
      const cell = Math.floor((t * rows) / T) * columns + Math.floor((s * columns) / S);
      cells[cell]! += shown;
      sizes[cell]! += 1;
      seen += shown;
    }
  }
  const data = cells.map((count, i) => count / sizes[i]!);
  const letters = Array.from(data, (share) => (share === 0 ? "·" : share === 1 ? "█" : "▒"));
  const lines = Array.from({ length: rows }, (_, r) =>
    letters.slice(r * columns, (r + 1) * columns).join(""),
  );
  const ofClass = (wanted: number) => plan.classes.filter((one) => one === wanted).length;
  return {
    name,
    pairs: T * S,
    seen,
    sparsity: T * S === 0 ? 0 : 1 - seen / (T * S),
    tiles: { none: ofClass(0), some: ofClass(1), all: ofClass(2) },
    picture: { data, shape: [rows, columns] },
    text: lines.join("\n"),
  };
}
