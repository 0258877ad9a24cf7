import type { Tensor } from "@qkv/tensor";
import type { KeyValues } from "./key-values/key-values.js";

/**
 * State of a recurrent layer: tensors by name, batches first, as `{ state: [B, H, K, V], conv: [B, C, k - 1] }`. Their
 * names, types and shapes stay the same from token to token.
 */
export type LayerState = Readonly<Record<string, Tensor>>;

/** A cache, as a layer uses it: keys and values of attention layers, states of recurrent layers. */
export type Cache = {
  /**
   * Appends [B, Hkv, T, D] and [B, Hkv, T, Dv] to a layer, in place, and returns what attention reads.
   *
   * @param query - Queries of the same tokens [B, H, T, D], rotated as the keys are: eviction scores read them.
   */
  update(layer: number, key: Tensor, value: Tensor, query?: Tensor): KeyValues;
  /** Keys and values of a layer as the next token sees them, without appending one: for layers that share a cache. */
  read(layer: number): KeyValues;
  /** State of a recurrent layer, valid until the next `advance`; undefined before the first token. */
  state(layer: number): LayerState | undefined;
  /**
   * Replaces the state of a recurrent layer by the one after the next tokens.
   *
   * @param tokens - Tokens that the layer read since the last state: one number, or one for each batch.
   */
  advance(layer: number, state: LayerState, tokens: number | ArrayLike<number>): void;
  /** Tokens seen, in the longest batch where they differ. */
  readonly length: number;
  /** Tokens seen, per batch. Absent where batches cannot differ. */
  readonly lengths?: Int32Array;
  /** True: keys are stored unrotated and rotated at each read, by their index in the cache. */
  readonly unrotatedKeys?: boolean;
};
