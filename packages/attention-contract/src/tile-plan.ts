import { firstQueryPosition, positionList } from "./key-values/positions.js";
import type { BoundMask } from "./mask.js";

/**
 * A mask divided into tiles of queries and keys, over which kernels iterate. It is computed once per mask and lengths, and shared by
 * layers. Kernels skip tiles of class 0 (all pairs masked), compute tiles of class 2 (no pair masked) without tests, and test one bit
 * per pair in tiles of class 1.
 */
export type TilePlan = {
  /** Number of queries and of keys of one tile. Tiles at the ends are smaller. */
  readonly queryTile: number;
  readonly keyTile: number;
  /** Number of tiles along the queries and along the keys. */
  readonly rows: number;
  readonly columns: number;
  /** Batch size and number of query heads; each is 1 if the mask is the same for all of them. */
  readonly batches: number;
  readonly heads: number;
  /** Class of each tile, `[batches, heads, rows, columns]`: 0 none, 1 some, 2 all pairs visible. */
  readonly classes: Uint8Array;
  /** Index in `bits` of the first word of each tile of class 1, `[batches, heads, rows, columns]`. */
  readonly bitsAt: Uint32Array;
  /** For each tile of class 1, queryTile rows of keyTile bits, 32 bits per word, the lowest bit first. */
  readonly bits: Uint32Array;
};

/** Number of queries and of keys of one tile. */
const tileSize = 64;

/** Sizes and positions for which a plan is made. */
export type PlanExtent = {
  readonly batches: number;
  readonly heads: number;
  readonly queries: number;
  /** Position of the first query; the others follow it. One number, or `[B]` if sequences differ. */
  readonly firstQuery: number | Int32Array;
  /**
   * Positions of the keys in the order of storage, with -1 for empty slots: one list for all sequences, one per sequence, or one per
   * sequence and key-value head.
   */
  readonly keyPositions: readonly Int32Array[];
};

/**
 * Divides queries and keys into tiles, and classifies each tile.
 *
 * Tiles of keys begin at fixed indices of the storage. So a query has the same tiles of keys in a call by itself as together with
 * other queries.
 *
 * @param masks - One mask, or one per sequence. Undefined: every stored key is visible.
 * @param perBatch - True if the mask differs between sequences.
 * @param perHead - True if the mask differs between heads.
 */
export function tilePlan(
  masks: BoundMask | readonly BoundMask[] | undefined,
  extent: PlanExtent,
  perBatch: boolean,
  perHead: boolean,
): TilePlan {
  const { queries: T, firstQuery, keyPositions } = extent;
  const S = keyPositions[0]?.length ?? 0;
  const [rows, columns] = [Math.ceil(T / tileSize), Math.ceil(S / tileSize)];
  const hasGaps = keyPositions.some((positions) => positions.includes(-1));
  const bound = masks === undefined ? undefined : [masks].flat();
  const lists = keyPositions.length;
  const sequencesDiffer = lists > 1 || typeof firstQuery !== "number";
  const batches = (bound || hasGaps) && (perBatch || sequencesDiffer) ? extent.batches : 1;
  const byHead = lists > extent.batches;
  const heads = (bound && perHead) || ((bound || hasGaps) && byHead) ? extent.heads : 1;
  /** Number of query heads that share a list of positions. */
  const group = byHead ? extent.heads / (lists / extent.batches) : heads;
  const classes = new Uint8Array(batches * heads * rows * columns).fill(2);
  const bitsAt = new Uint32Array(classes.length);
  const plan = { queryTile: tileSize, keyTile: tileSize, rows, columns, batches, heads, classes, bitsAt };
  if (!bound && !hasGaps) return { ...plan, bits: new Uint32Array(0) };

  const words = tileSize / 32;
  const bits = new GrowingBits();
  for (let b = 0, tile = 0; b < batches; b++) {
    const mask = bound?.[bound.length > 1 ? b : 0];
    const start = firstQueryPosition(firstQuery, b);
    let [positions, ranges]: [Int32Array | undefined, ReturnType<typeof positionRange>[]] = [undefined, []];
    for (let h = 0; h < heads; h++) {
      const headPositions = keyPositions[positionList(lists, extent.batches, b, Math.floor(h / group))]!;
      if (headPositions !== positions)
        ranges = Array.from({ length: columns }, (_, c) => positionRange(headPositions, c * tileSize, S));
      positions = headPositions;
      for (let r = 0; r < rows; r++) {
        const height = Math.min(tileSize, T - r * tileSize);
        const first = start + r * tileSize;
        const query = { first, last: first + height - 1 };
        for (let c = 0; c < columns; c++, tile++) {
          const range = ranges[c]!;
          const seen = range.last < 0 ? "none" : mask ? mask.tile(query, range, b, h) : "all";
          const tileClass = seen === "all" && range.gaps ? "some" : seen;
          classes[tile] = tileClass === "none" ? 0 : tileClass === "some" ? 1 : 2;
          if (tileClass !== "some") continue;
          const width = Math.min(tileSize, S - c * tileSize);
          const at = bits.allocate(tileSize * words);
          let count = 0;
          for (let i = 0; i < height; i++) {
            for (let j = 0; j < width; j++) {
              const key = positions[c * tileSize + j]!;
              if (key < 0 || (mask && !mask.sees(first + i, key, b, h))) continue;
              bits.array[at + i * words + (j >>> 5)]! |= 1 << (j & 31);
              count += 1;
            }
          }
          // A mask may answer "some" for any tile: the count of visible pairs decides.
          classes[tile] = count === 0 ? 0 : count === height * width ? 2 : 1;
          if (classes[tile] === 1) bitsAt[tile] = at;
          else bits.free(tileSize * words);
        }
      }
    }
  }
  return { ...plan, bits: bits.array.slice(0, bits.length) };
}

/** Index of the tile at a batch, a head, a row and a column of the plan. */
export function tileIndex(plan: TilePlan, batch: number, head: number, row: number, column: number): number {
  const b = plan.batches === 1 ? 0 : batch;
  const h = plan.heads === 1 ? 0 : head;
  return ((b * plan.heads + h) * plan.rows + row) * plan.columns + column;
}

/** Writes to `seen`, for each key of one tile, 1 if the query sees it, else 0. `query`: index of the query in the call. */
export function seenKeys(
  plan: TilePlan,
  batch: number,
  head: number,
  query: number,
  column: number,
  seen: Uint8Array,
): void {
  const row = Math.floor(query / plan.queryTile);
  const tile = tileIndex(plan, batch, head, row, column);
  const tileClass = plan.classes[tile]!;
  if (tileClass !== 1) {
    seen.fill(tileClass === 2 ? 1 : 0);
    return;
  }
  const at = plan.bitsAt[tile]! + (query - row * plan.queryTile) * (plan.keyTile / 32);
  for (let n = 0; n < seen.length; n++) seen[n] = (plan.bits[at + (n >>> 5)]! >>> (n & 31)) & 1;
}

/** Number of pairs of a query and a key in tiles that are not skipped, summed over sequences and heads. */
export function pairsRead(plan: TilePlan, batches: number, heads: number, T: number, S: number): number {
  let pairs = 0;
  for (let tile = 0; tile < plan.classes.length; tile++) {
    if (plan.classes[tile] === 0) continue;
    const column = tile % plan.columns;
    const row = Math.floor(tile / plan.columns) % plan.rows;
    pairs +=
      Math.min(plan.queryTile, T - row * plan.queryTile) * Math.min(plan.keyTile, S - column * plan.keyTile);
  }
  return (pairs * batches * heads) / (plan.batches * plan.heads);
}

/** Smallest and largest position of the keys of a tile, and whether the tile has empty slots. */
function positionRange(positions: Int32Array, start: number, S: number) {
  let [first, last, gaps] = [Infinity, -1, false];
  for (let s = start; s < Math.min(S, start + tileSize); s++) {
    const position = positions[s]!;
    if (position < 0) gaps = true;
    else {
      if (position < first) first = position;
      if (position > last) last = position;
    }
  }
  return { first, last, gaps };
}

/** A growing stack of 32-bit words, which are allocated and freed at its end. The array doubles when it is full. */
class GrowingBits {
  array = new Uint32Array(1024);
  length = 0;

  allocate(words: number): number {
    const at = this.length;
    this.length += words;
    if (this.length > this.array.length) {
      const larger = new Uint32Array(Math.max(this.length, 2 * this.array.length));
      larger.set(this.array);
      this.array = larger;
    }
    this.array.fill(0, at, this.length);
    return at;
  }

  free(words: number): void {
    this.length -= words;
  }
}
