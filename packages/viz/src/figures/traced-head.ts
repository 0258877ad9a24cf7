import type { PictureData } from "../check-data.js";

/** The matrices of one head of a traced attention. */
export type TracedHead = {
  /** Queries `[T, D]`, after rotary positions if the head has them. */
  query: PictureData;
  /** Keys `[S, D]`, after rotary positions if the head has them. */
  key: PictureData;
  /** Values `[S, D]`. */
  value: PictureData;
  /** Dot products of queries and keys, `[T, S]`. */
  dots: PictureData;
  /** Scale of the dot products, usually 1 / √D. */
  scale: number;
  /** Dot products times `scale`, `[T, S]`, before the mask. */
  scores: PictureData;
  /** 1 where the query sees the key and 0 where it is masked, `[T, S]`. */
  seen: PictureData;
  /** Softmax of the visible scores, `[T, S]`. Each row sums to 1. */
  weights: PictureData;
  /** Weights times values, `[T, D]`. */
  output: PictureData;
};
