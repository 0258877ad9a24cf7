import type { Tensor } from "@qkv/tensor";

/** Traced attention of one layer. The figure draws the first text of the batch. */
export type AttentionTrace = {
  /** Queries `[B, H, T, D]`, after rotary positions if the model has them. */
  query: Tensor;
  /** `[B, Hkv, S, D]` */
  key: Tensor;
  /** `[B, Hkv, S, D]` */
  value: Tensor;
  /** Inputs of the softmax, `[B, H, T, S]`: −∞ where masked. */
  scores: Tensor;
  /** `[B, H, T, S]` */
  weights: Tensor;
  /** `[B, H, T, D]` */
  output: Tensor;
  /** Scale of the dot products. Default 1/√D. */
  scale?: number;
};

/** Traced attention of a text, by one model or more. */
export type LinkedMatricesTrace = {
  /** Text of each query. */
  tokens: readonly string[];
  /** Text of each key. Default: those of the queries. */
  keyTokens?: readonly string[];
  /** Index of the initial query. Default: the last one. */
  row?: number;
  /** Source of the models, a sentence under the picture. Default: none. */
  source?: string;
  models: readonly {
    id: string;
    name: string;
    /** A few words under the name. */
    note?: string;
    layers: readonly AttentionTrace[];
  }[];
};
