import type { PictureData } from "../../check-data.js";

/** Texts that the figure has: a key stored again, keys that are alike, more keys than the state has rows. */
export const writtenTexts = ["again", "alike", "full"] as const;
export type WrittenText = (typeof writtenTexts)[number];

/** Settings that the reader chooses. */
export type WrittenStateChoices = {
  text: WrittenText;
  /** Adds to the state, or first erases what it holds for the key. */
  rule: "add" | "delta";
  /** β of the delta rule: part of the old value that is replaced. */
  beta: number;
  /** Decay α: the state is multiplied by it at each token. */
  gate: number;
};

/** One token: what the state was, what happened, what it is. */
export type WrittenToken = {
  /** As "cup:red", which stores, or "cup?", which asks. */
  text: string;
  /** True: it only reads the state, by a query. */
  asks: boolean;
  /** `[K]`: its key, or its query where it asks. */
  key: readonly number[];
  /** `[V]`; not stored where it asks. */
  value: readonly number[];
  /** The state before it, times the gate, `[K, V]`. */
  decayed: PictureData;
  /** `[V]`, read from the decayed state by the key: what the delta rule erases. */
  held: readonly number[];
  /** `[V]`: its outer product with the key is added to the state. */
  update: readonly number[];
  /** `[K, V]` */
  state: PictureData;
  /** `[V]`, read from the state after it by the key. */
  output: readonly number[];
};

/** Numbers of the figure, of one head. */
export type WrittenStateModel = {
  tokens: readonly WrittenToken[];
  /** Name of each value channel: a color. */
  channels: readonly string[];
  /** The map that the outputs imply, `[T, T]`. */
  weights: PictureData;
};
