import { checks } from "@qkv/core";
import { type Mask, tileIndex, tilePlan } from "@qkv/attention-contract";
import { checkMask } from "../mask.js";

/** Lengths for which a mask is described. Queries are the last `queryLength` of `keyLength` positions. */
export type DescribeExtent = {
  queryLength: number;
  keyLength: number;
  /** Index of the sequence in the batch. Default 0. */
  batch?: number;
  /** Index of the head. Default 0. */
  head?: number;
};

export type MaskDescription = {
  readonly name: string;
  /** Number of pairs of a query and a key, and number of visible pairs. */
  readonly pairs: number;
  readonly seen: number;
  /** Fraction of masked pairs, from 0 (all visible) to 1 (all masked). */
  readonly sparsity: number;
  /** Number of tiles of 64 queries × 64 keys in which no, some or all pairs are visible: skipped, tested pair by pair, not tested. */
  readonly tiles: { readonly none: number; readonly some: number; readonly all: number };
  /** Fraction of visible pairs in each cell of a picture, row-major. A cell is one pair if both lengths are at most 32. */
  readonly picture: { readonly data: Float32Array; readonly shape: readonly [number, number] };
  /** The picture as text: `·` masked, `▒` partly visible, `█` visible. */
  readonly text: string;
};

/**
 * Describes a mask for given lengths: its sparsity, the number of tiles that have to be computed, and a picture.
 *
 * @throws {ArgumentError} If it is not a mask, or a length is not an integer.
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
  check.whole({ queryLength: T, keyLength: S, batch, head }, { min: 0, unit: "positions", fix });
  const few = "describe a shorter stretch: every pair of query and key is looked at.";
  check.whole({ pairs: T * S }, { max: 2 ** 30, unit: "pairs", fix: few });
  const bound = bind({ queryLength: T, keyLength: S });
  const selected = {
    sees: (query: number, key: number) => bound.sees(query, key, perBatch ? batch : 0, perHead ? head : 0),
    tile: (query: { first: number; last: number }, key: { first: number; last: number }) =>
      bound.tile(query, key, perBatch ? batch : 0, perHead ? head : 0),
  };
  const keyPositions = [Int32Array.from({ length: S }, (_, s) => s)];
  const plan = tilePlan(
    selected,
    { batches: 1, heads: 1, queries: T, firstQuery: S - T, keyPositions },
    false,
    false,
  );
  const [rows, columns] = [Math.min(T, 32), Math.min(S, 32)];
  const cells = new Float32Array(rows * columns); // number of visible pairs, then their fraction
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
  const countTiles = (tileClass: number) => plan.classes.filter((other) => other === tileClass).length;
  return {
    name,
    pairs: T * S,
    seen,
    sparsity: T * S === 0 ? 0 : 1 - seen / (T * S),
    tiles: { none: countTiles(0), some: countTiles(1), all: countTiles(2) },
    picture: { data, shape: [rows, columns] },
    text: lines.join("\n"),
  };
}
