import type { KeyValues } from "@qkv/attention-contract";
import type { Tensor } from "@qkv/tensor";
import type { Held } from "./check-update.js";

/** What one layer of a cache holds, and how. Arguments are checked by the cache. */
export type LayerStore = {
  /** Of what may follow; undefined before the first tokens. */
  readonly held: Held | undefined;
  /** Tokens seen, per batch. */
  readonly lengths: readonly number[];
  readonly stored: number;
  readonly bytes: number;
  /** Appends tokens in place, and returns what attention reads. Refuses before it changes anything. */
  append(key: Tensor, value: Tensor): KeyValues;
  /** What the next tokens will see. There must be some. */
  read(): KeyValues;
  /** Refuses lengths that it cannot go back to. */
  checkCrop(lengths: readonly number[]): void;
  crop(lengths: readonly number[]): void;
  /** Takes a stretch of tokens out; absent where it cannot. */
  discard?(start: number, end: number): void;
  fork(): LayerStore;
  /** Batch `ids[i]` comes to place i. */
  take(ids: readonly number[]): void;
  /** Lets go of everything. */
  clear(): void;
  save(): SavedLayer | undefined;
  /** A store like this one with saved content; this one is not changed. Refuses what does not fit. */
  restored(saved: SavedLayer): LayerStore;
};

/** A layer as it is saved: tensors and lists of whole numbers, by name. */
export type SavedLayer = {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly numbers: Readonly<Record<string, readonly number[]>>;
};
