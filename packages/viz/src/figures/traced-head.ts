import type { PictureData } from "../check-data.js";

/** One head of a traced attention, as it was computed. */
export type TracedHead = {
  /** `[T, D]`, as dot products take it: after rotary positions, if there are any. */
  query: PictureData;
  /** `[S, D]` */
  key: PictureData;
  /** `[S, D]` */
  value: PictureData;
  /** Dot products of queries and keys, `[T, S]`. */
  dots: PictureData;
  /** Number that each dot product is multiplied by. */
  scale: number;
  /** Dot products times `scale`, `[T, S]`, of all keys. */
  scores: PictureData;
  /** 1 where the query sees the key and 0 where it is masked, `[T, S]`. */
  seen: PictureData;
  /** `[T, S]`, each row 1 in sum. */
  weights: PictureData;
  /** Weights times values, `[T, D]`. */
  output: PictureData;
};
