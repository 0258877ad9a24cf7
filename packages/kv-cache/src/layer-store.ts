import type { KeyValues, LayerState } from "@qkv/attention-contract";
import type { Device, Tensor } from "@qkv/tensor";
import type { CachedTensors } from "./check-update.js";

/** Storage of one layer of a cache: the methods of all kinds of stores. The cache checks arguments before it calls them. */
export type LayerStore = {
  /** Device of the buffers; undefined before the first tokens. */
  readonly device: Device | undefined;
  /** Tokens seen, one number per sequence of the batch; empty before the first tokens. */
  readonly lengths: readonly number[];
  /** Tokens stored for the longest sequence. */
  readonly stored: number;
  readonly bytes: number;
  /** Refuses lengths to which the layer cannot be cropped. */
  checkCrop(lengths: readonly number[]): void;
  /** Removes the last tokens of each sequence, down to these lengths. */
  crop(lengths: readonly number[]): void;
  /** Removes tokens `start … end - 1` of each sequence. Absent if the store does not support it. */
  discard?(start: number, end: number): void;
  /** Selects sequences of the batch: sequence `ids[i]` moves to index i. */
  selectBatches(ids: readonly number[]): void;
  /** Releases all buffers. */
  clear(): void;
  save(): SavedLayer | undefined;
};

/** Methods that create another store with the same options. */
export type Copied<S> = {
  /** Returns a store with the same content. Buffers are copied on write. */
  fork(): S;
  /** Returns a store with saved content, and does not change this one. Refuses content that does not fit. */
  fromSaved(saved: SavedLayer): S;
};

/** Storage of the keys and values of an attention layer. */
export interface KeyValueStore extends LayerStore, Copied<KeyValueStore> {
  /** Tensors that the next tokens must match; undefined before the first tokens. */
  readonly current: CachedTensors | undefined;
  /** Appends tokens in place, and returns the keys and values that attention reads. An error leaves the store unchanged. */
  append(key: Tensor, value: Tensor, query?: Tensor): KeyValues;
  /** Returns the keys and values that attention reads. The layer must not be empty. */
  read(): KeyValues;
}

/** Storage of the state of a recurrent layer. */
export interface StateStore extends LayerStore, Copied<StateStore> {
  /** The state after the last token; undefined before the first. */
  readonly current: LayerState | undefined;
  /** Replaces the state by the one after `tokens[b]` more tokens of sequence b. */
  advance(state: LayerState, tokens: readonly number[]): void;
}

/** The saved content of a layer: tensors, and lists of integers with one per sequence, by name. */
export type SavedLayer = {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly numbers: Readonly<Record<string, readonly number[]>>;
};
