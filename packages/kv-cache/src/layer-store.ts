import type { KeyValues, LayerState } from "@qkv/attention-contract";
import type { Device, Tensor } from "@qkv/tensor";
import type { CachedTensors } from "./check-update.js";

/** Storage of one layer of a cache, as far as it is the same for all kinds. Arguments are checked by the cache. */
export type LayerStore = {
  /** Device of the buffers; undefined before the first tokens. */
  readonly device: Device | undefined;
  /** Tokens seen, per batch. */
  readonly lengths: readonly number[];
  /** Tokens that are stored now. */
  readonly stored: number;
  readonly bytes: number;
  /** Refuses lengths to which the layer cannot be cropped. */
  checkCrop(lengths: readonly number[]): void;
  /** Removes the last tokens of each batch, down to these lengths. */
  crop(lengths: readonly number[]): void;
  /** Removes a range of tokens; absent where the store cannot. */
  discard?(start: number, end: number): void;
  /** Puts batch `ids[i]` at index i. */
  selectBatches(ids: readonly number[]): void;
  /** Releases all buffers. */
  clear(): void;
  save(): SavedLayer | undefined;
};

/** A store that can be copied: a fork, and a store like it with other content. */
export type Copied<S> = {
  fork(): S;
  /** A store like this one with saved content; this one is not changed. Refuses content that does not fit. */
  fromSaved(saved: SavedLayer): S;
};

/** Storage of the keys and values of an attention layer. */
export interface KeyValueStore extends LayerStore, Copied<KeyValueStore> {
  /** Tensors that the next tokens must match; undefined before the first tokens. */
  readonly current: CachedTensors | undefined;
  /** Appends tokens in place, and returns what attention reads. Refuses before it changes anything. */
  append(key: Tensor, value: Tensor, query?: Tensor): KeyValues;
  /** Returns the keys and values that attention reads. The layer must not be empty. */
  read(): KeyValues;
}

/** Storage of the state of a recurrent layer. */
export interface StateStore extends LayerStore, Copied<StateStore> {
  /** The state after the last token; undefined before the first. */
  readonly current: LayerState | undefined;
  /** Replaces the state by that after `tokens[b]` more tokens of batch b. */
  advance(state: LayerState, tokens: readonly number[]): void;
}

/** A layer as it is saved: tensors and lists of whole numbers, by name. */
export type SavedLayer = {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly numbers: Readonly<Record<string, readonly number[]>>;
};
