/** Weights of a head, a row a query; `null` where the query does not see the key. */
export type StackMap = readonly (readonly (number | null)[])[];

/** Heads of a layer: query heads, and the KV heads or states that they read. */
export type StackHeads = {
  kind: "MHA" | "GQA" | "MQA" | "MLA" | "state";
  numHeads: number;
  /** KV heads; of latent attention 1 compressed row, of a recurrent layer its states. */
  numKvHeads: number;
  /** Numbers that one of them keeps of a token, or the two sides of a state. */
  keyDim: number;
  valueDim: number;
};

/** One way to attend, which some layers of a model share. */
export type StackKind = {
  /** As "window-1024": part of keys and cells. */
  id: string;
  /** As "Sliding window of 1,024 tokens". */
  name: string;
  /** As "sliding", in a pattern of layers. */
  short: string;
  /** Number of layers. */
  layers: number;
  /** Most tokens that a query sees; `null`: as many as there are. 0: none, as the layer has a state. */
  limit: number | null;
  /** Attends to what the encoder made, beside the attention of its layer. */
  cross: boolean;
  heads: StackHeads;
  /** Bytes that a token adds to the cache of one layer; 0 without a cache. */
  bytesPerToken: number;
  /** Bytes of one layer that do not grow. */
  stateBytes: number;
  /** Mask over a few tokens, a row a query; `null` where a state takes its place. */
  mask: readonly (readonly boolean[])[] | null;
  /** Maps of a few heads of the tiny random model; none where it does not run. */
  maps: readonly StackMap[];
};

/** Layers that repeat: indices of kinds, and how many times they follow each other. */
export type StackRun = { pattern: readonly number[]; times: number };

/** Layers one after the other. */
export type StackSide = {
  /** "Encoder" or "Decoder" where a model has both, else empty. */
  name: string;
  /** Index of the kind of each layer, the first layer first. */
  layers: readonly number[];
  runs: readonly StackRun[];
};

/** A model, as far as its attention goes. */
export type StackedModel = {
  id: string;
  name: string;
  /** Of its release, where it is known. */
  year: number | null;
  /** The `model_type` of its configuration. */
  architecture: string;
  kinds: readonly StackKind[];
  sides: readonly StackSide[];
  parameters: number;
  /** Parameters that one token passes. */
  activeParameters: number;
  embedDim: number;
  /** Experts of a layer, and those that a token passes. */
  experts: { count: number; perToken: number } | null;
  /** Longest sequence that it was made for. Unit: tokens. */
  contextLength: number | null;
  /** Bytes that one token adds in all layers, until windows are full; 0 without a cache. */
  bytesPerToken: number;
  /** The same if every layer kept every token. */
  fullBytesPerToken: number;
  /** The same if, besides, every query head had keys and values of its own. */
  unsharedBytesPerToken: number;
  /** Bytes of the cache at each of the lengths. */
  cacheBytes: readonly number[];
  /** Operations for one token at each of the lengths. */
  flops: readonly number[];
  /** Size of the tiny random model, or the reason why there is none. */
  tiny: string;
};

/** Numbers of the figure. */
export type ModelStackModel = {
  /** Tokens of context after each step. */
  lengths: readonly number[];
  /** Tokens that windows and chunks have in the masks and in the tiny model. */
  drawnWindow: number;
  /** One model, or two to compare. */
  models: readonly [StackedModel] | readonly [StackedModel, StackedModel];
  /** Offers of the controls. */
  offers: readonly { value: string; label: string; title: string }[];
};

/** Settings that a reader chooses. Both change numbers. */
export type ModelStackChoices = {
  /** A known model by its id, or `own`: the configuration of the element. */
  model: string;
  /** The same, or empty: none. */
  compare: string;
};
