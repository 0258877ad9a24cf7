import type { PictureData } from "../../check-data.js";

/** Texts that the figure has: a key stored again, keys that are alike, more keys than the state has rows. */
export const writtenTexts = ["again", "alike", "full"] as const;
export type WrittenText = (typeof writtenTexts)[number];

/** Settings that the reader chooses. */
export type WrittenStateChoices = {
  text: WrittenText;
  /** Adds to the state, or first erases what it holds for the key. */
  rule: "add" | "delta";
  /** Part of an old value that is replaced. */
  beta: number;
  /** Part of the state that each token keeps. */
  gate: number;
};

/** One token: what the state was, what happened, what it is. */
export type WrittenToken = {
  /** As "cup:red", or "cup?" where it asks. */
  text: string;
  asks: boolean;
  /** `[K]`: the key that it stores under, or the query that it asks with. */
  key: readonly number[];
  /** `[V]`; nothing is stored where it asks. */
  value: readonly number[];
  /** The state before it, faded, `[K, V]`. */
  faded: PictureData;
  /** `[V]`, read from the faded state under the key. */
  held: readonly number[];
  /** `[V]`, added to the state under the key. */
  update: readonly number[];
  /** `[K, V]` */
  state: PictureData;
  /** `[V]`, read from the state after it. */
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
