import type { Tensor } from "@qkv/tensor";

/** Attention of one layer as it was computed, of which the first text of the batch is drawn. */
export type AttentionTrace = {
  /** `[B, H, T, D]`, as they meet: after rotary positions, if there are any. */
  query: Tensor;
  /** `[B, Hkv, S, D]` */
  key: Tensor;
  /** `[B, Hkv, S, D]` */
  value: Tensor;
  /** Scores that softmax was given, `[B, H, T, S]`: −∞ where masked. */
  scores: Tensor;
  /** `[B, H, T, S]` */
  weights: Tensor;
  /** `[B, H, T, D]` */
  output: Tensor;
  /** Number that dot products were multiplied by. Default 1/√D. */
  scale?: number;
};

/** Traced attention of a text, by one model or more. */
export type LinkedMatricesTrace = {
  /** Text of each query. */
  tokens: readonly string[];
  /** Text of each key. Default: those of the queries. */
  keyTokens?: readonly string[];
  /** Index of the query that is looked at first. Default: the last one. */
  row?: number;
  /** Origin of the models, in a sentence under the picture. Default: nothing is said. */
  source?: string;
  models: readonly {
    id: string;
    name: string;
    /** A few words under the name. */
    note?: string;
    layers: readonly AttentionTrace[];
  }[];
};
