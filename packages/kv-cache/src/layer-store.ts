import type { KeyValues } from "@qkv/attention-contract";
import type { Tensor } from "@qkv/tensor";
import type { CachedTensors } from "./check-update.js";

/** Storage of one layer of a cache. Arguments are checked by the cache. */
export type LayerStore = {
  /** Tensors that the next tokens must match; undefined before the first tokens. */
  readonly current: CachedTensors | undefined;
  /** Tokens seen, per batch. */
  readonly lengths: readonly number[];
  /** Tokens that are stored now. */
  readonly stored: number;
  readonly bytes: number;
  /** Appends tokens in place, and returns what attention reads. Refuses before it changes anything. */
  append(key: Tensor, value: Tensor): KeyValues;
  /** Returns the keys and values that attention reads. The layer must not be empty. */
  read(): KeyValues;
  /** Refuses lengths to which the layer cannot be cropped. */
  checkCrop(lengths: readonly number[]): void;
  /** Removes the last tokens of each batch, down to these lengths. */
  crop(lengths: readonly number[]): void;
  /** Removes a range of tokens; absent where the store cannot. */
  discard?(start: number, end: number): void;
  fork(): LayerStore;
  /** Puts batch `ids[i]` at index i. */
  selectBatches(ids: readonly number[]): void;
  /** Releases all buffers. */
  clear(): void;
  save(): SavedLayer | undefined;
  /** A store like this one with saved content; this one is not changed. Refuses content that does not fit. */
  fromSaved(saved: SavedLayer): LayerStore;
};

/** A layer as it is saved: tensors and lists of whole numbers, by name. */
export type SavedLayer = {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly numbers: Readonly<Record<string, readonly number[]>>;
};
