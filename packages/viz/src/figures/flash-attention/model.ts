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

/** Running maximum, running sum and output accumulator of the queries of one tile, one number or row each. */
export type OnlineSoftmaxState = {
  /** m */
  max: readonly number[];
  /** l */
  sum: readonly number[];
  /** Weighted sum of values, not yet divided by l. */
  accumulator: readonly (readonly number[])[];
};

/** One tile of the scores, in the order in which they are computed: all keys of one block of queries, then the next. */
export type FlashTile = {
  row: number;
  column: number;
  /** Empty tiles are skipped, partial ones test each pair of query and key. */
  kind: "full" | "partial" | "empty";
  /** State of its queries before and after it. */
  before: OnlineSoftmaxState;
  after: OnlineSoftmaxState;
  /** Bytes that have moved between slow and fast memory when it is done. */
  bytesMoved: number;
};

/** Bytes of attention over a long sequence. */
export type LongAttention = {
  length: number;
  /** Bytes of the scores of all heads, `H · N · N · 4`. */
  scoreBytes: number;
  /** Bytes moved when scores are stored. */
  storedBytes: number;
  /** Bytes moved when they stay in tiles. */
  tiledBytes: number;
};

/** Numbers of the figure: one call of `@qkv/attention`, cut into tiles. */
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
  /** Bytes moved by this call when scores are stored. */
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

/** Tokens of block `index`: the last one may be shorter. */
export const blockRange = (index: number, { tileSize, query }: FlashAttentionModel) => ({
  start: index * tileSize,
  end: Math.min((index + 1) * tileSize, query.shape[0]!),
});

/** Tiles that are computed. */
export const computedTiles = ({ tiles }: FlashAttentionModel): FlashTile[] =>
  tiles.filter(({ kind }) => kind !== "empty");
