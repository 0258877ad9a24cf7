import type { Tensor } from "@qkv/tensor";
import type { KeyValues } from "./key-values/key-values.js";

/** What a KV cache is to a layer. */
export type Cache = {
  /** Appends [B, Hkv, T, D] and [B, Hkv, T, Dv] to a layer, in place, and returns all that attention reads. */
  update(layer: number, key: Tensor, value: Tensor): KeyValues;
  /** Tokens seen; of the longest batch, where batches differ. */
  readonly length: number;
  /** Tokens seen, per batch. Absent where batches cannot differ. */
  readonly lengths?: Int32Array;
  /** Whether keys are stored before their rotary turn and turned at each read, by their place in the cache. */
  readonly unrotatedKeys?: boolean;
};
