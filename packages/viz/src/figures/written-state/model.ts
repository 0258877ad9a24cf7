import type { PictureData } from "../../check-data.js";

/** Texts of the figure: a key stored again, similar keys, more keys than the state has rows. */
export const writtenTexts = ["again", "alike", "full"] as const;
export type WrittenText = (typeof writtenTexts)[number];

/** Settings that the reader chooses. */
export type WrittenStateChoices = {
  text: WrittenText;
  /** Additive update (linear attention), or the delta rule, which first erases the value stored for the key. */
  rule: "add" | "delta";
  /** β of the delta rule: fraction of the stored value that is replaced. */
  beta: number;
  /** Decay α: the state is multiplied by it at each token. */
  gate: number;
};

/** One token, and the state before and after it. */
export type WrittenToken = {
  /** "cup:red" stores a value for a key, "cup?" queries it. */
  text: string;
  /** True for a query, which only reads the state. */
  isQuery: boolean;
  /** Key, or query of a token that queries, `[K]`. */
  key: readonly number[];
  /** Value, `[V]`. Not stored for a token that queries. */
  value: readonly number[];
  /** The previous state times the gate α, `[K, V]`. */
  decayed: PictureData;
  /** Value stored for the key in the decayed state, `[V]`, which the delta rule erases. */
  held: readonly number[];
  /** Vector whose outer product with the key is added to the state, `[V]`. */
  update: readonly number[];
  /** `[K, V]` */
  state: PictureData;
  /** Value that the key or query reads from the new state, `[V]`. */
  output: readonly number[];
};

/** Numbers of the figure, of one head. */
export type WrittenStateModel = {
  tokens: readonly WrittenToken[];
  /** Name of each value channel: a color. */
  channels: readonly string[];
  /** The attention map implied by the outputs, `[T, T]`. */
  weights: PictureData;
};
