/**
 * Numbers that a cache holds of one token for a KV head: a key, a value, a latent that keys and values of all heads are
 * made from, or the rotary key beside it.
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
  /** KV heads; of MLA 1, its latent. */
  numKvHeads: number;
  /** Numbers that a KV head keeps of one token, part by part. */
  parts: readonly HeadsPart[];
  /** Bytes that one token adds, in all layers. */
  bytesPerToken: number;
  /** Bytes of the cache at each of the model's `lengths`, in all layers. */
  bytes: readonly number[];
  /** Published models that share like this, as "Llama 3.1 8B". */
  usedBy?: string;
};

/** Time for one token to attend to those in the cache, in each kind. */
export type HeadsTime =
  | { kind: "estimate"; machine: string; bytesPerSecond: number }
  | { kind: "measured"; device: string; tokens: number; timeMs: readonly number[]; resolutionMs: number };

/** Numbers of the figure: sizes counted, times measured or estimated. */
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
  /** Offers of the controls. */
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
  /** 0: as many as the model was published with. */
  numHeads: number;
  /** Of GQA. 0: as many as the model was published with, or a quarter of its query heads. */
  numKvHeads: number;
  time: string;
};
