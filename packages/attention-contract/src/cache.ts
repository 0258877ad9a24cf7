import type { Tensor } from "@qkv/tensor";
import type { KeyValues } from "./key-values/key-values.js";

/**
 * State of a recurrent layer: tensors by name whose first axis is the batch, such as `{ state: [B, H, K, V], conv: [B, C, k - 1] }`.
 * Their names, types and shapes do not change from token to token.
 */
export type LayerState = Readonly<Record<string, Tensor>>;

/** The part of a cache that layers use: keys and values of attention layers, states of recurrent layers. */
export type Cache = {
  /**
   * Appends keys `[B, Hkv, T, D]` and values `[B, Hkv, T, Dv]` to a layer in place, and returns the keys and values that
   * attention reads.
   *
   * @param query - Queries of the same tokens, `[B, H, T, D]`, after the rotary embedding, for eviction scores.
   */
  update(layer: number, key: Tensor, value: Tensor, query?: Tensor): KeyValues;
  /** Returns the keys and values of a layer without appending: for layers that share the entries of another layer. */
  read(layer: number): KeyValues;
  /** Returns the state of a recurrent layer, valid until the next `advance`; undefined before the first token. */
  state(layer: number): LayerState | undefined;
  /**
   * Replaces the state of a recurrent layer by the one after the next tokens.
   *
   * @param tokens - Number of tokens that the layer has read since the last state: one number, or one per sequence.
   */
  advance(layer: number, state: LayerState, tokens: number | ArrayLike<number>): void;
  /** Tokens seen by the longest sequence of the batch. */
  readonly length: number;
  /** Tokens seen, `[B]`. Absent if sequences cannot differ in length. */
  readonly lengths?: Int32Array;
  /** True if keys are stored before the rotary embedding, and rotated on each read by their index in the cache. */
  readonly unrotatedKeys?: boolean;
};
