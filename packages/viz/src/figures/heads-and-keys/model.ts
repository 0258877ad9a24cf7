/**
 * A vector that a cache stores of one token for a KV head: a key, a value, the latent from which MLA computes keys and values of
 * all heads, or its rotary key.
 */
export type HeadsPart = { name: "key" | "value" | "latent" | "rotary key"; size: number };

/** One way to share keys and values among the query heads, and the size of its cache. */
export type HeadsKind = {
  /** As "gqa": part of keys and cells. */
  id: string;
  /** As "GQA". */
  name: string;
  /** As "grouped-query". */
  title: string;
  /** Number of KV heads. MLA: 1, the latent. */
  numKvHeads: number;
  /** Vectors that a KV head stores of one token. */
  parts: readonly HeadsPart[];
  /** Bytes that one token adds, in all layers. */
  bytesPerToken: number;
  /** Bytes of the cache at each of the model's `lengths`, in all layers. */
  bytes: readonly number[];
  /** Published models of this kind, as "Llama 3.1 8B". */
  usedBy?: string;
};

/** Time of one decoding step of attention, for each kind. */
export type HeadsTime =
  | { kind: "estimate"; machine: string; bytesPerSecond: number }
  | { kind: "measured"; device: string; tokens: number; timeMs: readonly number[]; resolutionMs: number };

/** Numbers of the figure. */
export type HeadsAndKeysModel = {
  numHeads: number;
  headDim: number;
  numLayers: number;
  bytesPerNumber: number;
  /** The first words, generated one by one. */
  words: readonly string[];
  /** Tokens in the cache after each step: 1 to the number of words, then doubling. */
  lengths: readonly number[];
  kinds: readonly HeadsKind[];
  time: HeadsTime;
  /** Options of the controls. */
  offers: {
    model: readonly { value: string; label: string; title: string }[];
    numHeads: readonly { value: number; label: string; title?: string }[];
    numKvHeads: readonly { value: number; label: string; title?: string }[];
    time: readonly { value: string; label: string; title: string }[];
  };
};

/** Settings that a reader chooses. All of them change numbers. */
export type HeadsAndKeysChoices = {
  model: string;
  /** Query heads. 0: as in the published model. */
  numHeads: number;
  /** KV heads of GQA. 0: as in the published model, or a quarter of its query heads. */
  numKvHeads: number;
  time: string;
};
