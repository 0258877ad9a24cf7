import type { Tensor } from "@qkv/tensor";
import type { KeyValues } from "./key-values/key-values.js";

/** A KV cache, as a layer uses it. */
export type Cache = {
  /** Appends [B, Hkv, T, D] and [B, Hkv, T, Dv] to a layer, in place, and returns what attention reads. */
  update(layer: number, key: Tensor, value: Tensor): KeyValues;
  /** Tokens seen, in the longest batch where they differ. */
  readonly length: number;
  /** Tokens seen, per batch. Absent where batches cannot differ. */
  readonly lengths?: Int32Array;
  /** True: keys are stored unrotated and rotated at each read, by their index in the cache. */
  readonly unrotatedKeys?: boolean;
};
