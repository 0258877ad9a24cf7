/** Weights of a head, `[query][key]`; `null` if the query does not see the key. */
export type StackMap = readonly (readonly (number | null)[])[];

/** Heads of a layer: query heads, and the KV heads or states that they read. */
export type StackHeads = {
  kind: "MHA" | "GQA" | "MQA" | "MLA" | "state";
  numHeads: number;
  /** Number of KV heads. Latent attention: 1, the latent. Recurrent layer: number of states. */
  numKvHeads: number;
  /** Length of the key and of the value of a token, or the two dimensions of a state. */
  keyDim: number;
  valueDim: number;
};

/** A kind of layer: its attention, and the number of layers of a model that have it. */
export type StackKind = {
  /** As "window-1024": part of keys and cells. */
  id: string;
  /** As "Sliding window of 1,024 tokens". */
  name: string;
  /** As "sliding", in a pattern of layers. */
  short: string;
  /** Number of layers. */
  layers: number;
  /** Maximum number of tokens that a query sees. `null`: unlimited. 0: none, as the layer has a state. */
  limit: number | null;
  /** True for cross-attention to the encoder output. */
  cross: boolean;
  heads: StackHeads;
  /** Bytes that a token adds to the cache of one layer; 0 without a cache. */
  bytesPerToken: number;
  /** Bytes of one layer that do not grow. */
  stateBytes: number;
  /** Mask of a few tokens, `[query][key]`; `null` for a layer with a state. */
  mask: readonly (readonly boolean[])[] | null;
  /** Maps of a few heads of the tiny random model; empty if it does not run. */
  maps: readonly StackMap[];
};

/** A run of layers: a pattern of kinds, by index, and the number of its repetitions. */
export type StackRun = { pattern: readonly number[]; times: number };

/** The layers of an encoder or a decoder. */
export type StackSide = {
  /** "Encoder" or "Decoder" where a model has both, else empty. */
  name: string;
  /** Index of the kind of each layer, the first layer first. */
  layers: readonly number[];
  runs: readonly StackRun[];
};

/** A model: its layers, cache and work. */
export type StackedModel = {
  id: string;
  name: string;
  /** Year of its release, if known. */
  year: number | null;
  /** The `model_type` of its configuration. */
  architecture: string;
  kinds: readonly StackKind[];
  sides: readonly StackSide[];
  parameters: number;
  /** Active parameters of one token. */
  activeParameters: number;
  embedDim: number;
  /** Experts of a layer, and the number that a token is routed to. */
  experts: { count: number; perToken: number } | null;
  /** Context length. Unit: tokens. */
  contextLength: number | null;
  /** Bytes of cache that one token adds in all layers while no window is full; 0 without a cache. */
  bytesPerToken: number;
  /** The same without windows. */
  fullBytesPerToken: number;
  /** The same without windows, if every query head had its own keys and values. */
  unsharedBytesPerToken: number;
  /** Bytes of the cache at each of the lengths. */
  cacheBytes: readonly number[];
  /** Operations for one token at each of the lengths. */
  flops: readonly number[];
  /** Size of the tiny random model, or the reason for its absence. */
  tiny: string;
};

/** Numbers of the figure. */
export type ModelStackModel = {
  /** Tokens of context after each step. */
  lengths: readonly number[];
  /** Size of windows and chunks in the masks and in the tiny model. Unit: tokens. */
  drawnWindow: number;
  /** One model, or two to compare. */
  models: readonly [StackedModel] | readonly [StackedModel, StackedModel];
  /** Options of the controls. */
  offers: readonly { value: string; label: string; title: string }[];
};

/** Settings that a reader chooses. Both change numbers. */
export type ModelStackChoices = {
  /** Id of a known model, or `own` for the configuration of the element. */
  model: string;
  /** Id of the model to compare with, or empty for none. */
  compare: string;
};
