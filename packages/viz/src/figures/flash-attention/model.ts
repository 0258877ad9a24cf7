import type { PictureData } from "../../check-data.js";

/** Masks that the figure offers. */
export const maskNames = ["causal", "none", "window", "documents", "prefix"] as const;
export type FlashMaskName = (typeof maskNames)[number];

/** Settings that the reader chooses. */
export type FlashAttentionChoices = {
  /** Queries and keys of one tile. */
  tileSize: number;
  mask: FlashMaskName;
  /** Tokens of the call that is drawn with its numbers. */
  tokens: number;
  /** Tokens of the call whose bytes are counted. */
  length: number;
};

/**
 * Running maximum m, running sum l and output accumulator o of the queries of one tile.
 *
 * @see "FlashAttention" (2022), arXiv:2205.14135, algorithm 1
 */
export type OnlineSoftmaxState = {
  /** m, one for each query. */
  max: readonly number[];
  /** l, one for each query. */
  sum: readonly number[];
  /** o, `[queries, D]`: the weighted sum of values, not yet divided by l. */
  accumulator: readonly (readonly number[])[];
};

/** One tile of the scores. Tiles are in the order of computation: all keys of one block of queries, then the next block. */
export type FlashTile = {
  row: number;
  column: number;
  /** Empty tiles are skipped; in a partial tile, the mask is tested for each pair of query and key. */
  kind: "full" | "partial" | "empty";
  /** State of its queries before and after the tile. */
  before: OnlineSoftmaxState;
  after: OnlineSoftmaxState;
  /** Bytes moved between slow and fast memory up to the end of this tile. */
  bytesMoved: number;
};

/** Bytes of attention over a long sequence. */
export type LongAttention = {
  length: number;
  /** Bytes of the scores of all heads, `H · N · N · 4`. */
  scoreBytes: number;
  /** Bytes moved by plain attention, which stores the scores. */
  storedBytes: number;
  /** Bytes moved by tiled attention, which does not. */
  tiledBytes: number;
};

/** Numbers of the figure: one call of `@qkv/attention`, in tiles. */
export type FlashAttentionModel = {
  tileSize: number;
  mask: FlashMaskName;
  /** `[N, D]` each. */
  query: PictureData;
  key: PictureData;
  value: PictureData;
  output: PictureData;
  /** `[N, N]`, −∞ where masked. */
  scores: PictureData;
  tiles: readonly FlashTile[];
  /** Bytes moved by this call in plain attention, which stores the scores. */
  storedBytes: number;
  long: {
    numHeads: number;
    headDim: number;
    /** On-chip memory. */
    sramBytes: number;
    /** Default of WebGPU's maxStorageBufferBindingSize. */
    limitBytes: number;
    lengths: readonly LongAttention[];
  };
};

/** Range of tokens of block `index`, `end` excluded. The last block may be shorter. */
export const blockRange = (index: number, { tileSize, query }: FlashAttentionModel) => ({
  start: index * tileSize,
  end: Math.min((index + 1) * tileSize, query.shape[0]!),
});

/** Tiles that are computed, not skipped. */
export const computedTiles = ({ tiles }: FlashAttentionModel): FlashTile[] =>
  tiles.filter(({ kind }) => kind !== "empty");
