import type { MixerName } from "./mixer-counts.js";

/** A norm: `layer` has gains and shifts, `rms` and `layer-without-bias` gains only, `plain` nothing learned. */
export type Norm = "rms" | "layer" | "layer-without-bias" | "plain";

/**
 * The keys that a query sees. A window counts the query itself; a chunk starts anew after so many tokens; `around` counts
 * the neighbours on each side.
 */
export type Reach =
  | { readonly kind: "all" }
  | { readonly kind: "causal" }
  | { readonly kind: "window"; readonly size: number }
  | { readonly kind: "chunk"; readonly size: number }
  | { readonly kind: "around"; readonly size: number };

/** Query heads that share key-value heads: MHA where there are as many of both, MQA where there is one. */
export type HeadsAttention = {
  readonly kind: "heads";
  /** H */
  readonly numHeads: number;
  /** Hkv, a divisor of H. */
  readonly numKvHeads: number;
  /** D */
  readonly headDim: number;
  readonly reach: Reach;
  /** Rotary dimensions of a head: 0 without rotary embedding. */
  readonly rotaryDim: number;
  readonly biases: { readonly query: boolean; readonly key: boolean; readonly output: boolean };
  /** A norm of queries and keys: of each head by itself, with one gain for all heads, or of all heads together. */
  readonly queryKeyNorm: "none" | "head" | "whole";
  /** A learned logit for each head. */
  readonly sinks: boolean;
  /** The query projection is twice as wide; its second half gates the output. */
  readonly outputGate: boolean;
  /** True: keys and values, and their cache, are those of an earlier layer (Gemma 3n). Default false. */
  readonly sharesKeyValues?: boolean;
  /** True: the difference of two softmaxes, each over values of two heads (DiffLlama). Default false. */
  readonly differential?: boolean;
};

/** Multi-head latent attention: the cache holds one compressed row and one turned key a token, for all heads. */
export type LatentAttention = {
  readonly kind: "latent";
  readonly numHeads: number;
  /** The width to which queries are compressed; `null`: they are not. */
  readonly queryRank: number | null;
  readonly kvRank: number;
  /** The part of a key that does not turn, a number of each head. */
  readonly nopeDim: number;
  /** The part that does, shared by all heads. */
  readonly ropeDim: number;
  readonly valueDim: number;
  readonly reach: Reach;
  /** Chooses `topK` keys for each query with a small attention of its own, whose keys the cache holds too (DSA). */
  readonly indexer?: { readonly numHeads: number; readonly headDim: number; readonly topK: number };
};

/** A recurrent layer: a mixer with a state in place of keys and values, between projections. */
export type StateAttention = {
  readonly kind: "state";
  readonly mixer: MixerName;
  /** Heads of queries and keys. */
  readonly numKeyHeads: number;
  /** Heads of values, each with a state. */
  readonly numValueHeads: number;
  readonly keyDim: number;
  readonly valueDim: number;
  /** Kernel size of the convolution over queries, keys and values; 1: none. Unit: tokens. */
  readonly convolution: number;
  readonly convolutionBias: boolean;
  /** Numbers of a token that are projected for gates: decays, strengths, time steps. */
  readonly gates: number;
  /** Learned numbers of the mixer, such as rates and biases of decays. */
  readonly learned: number;
  /** RMS norm of outputs: of each head with one gain, or of all together; a layer norm of each head with its own gains. */
  readonly outputNorm: "none" | "head" | "whole" | "layer";
  readonly outputGate: boolean;
  /** Taps of `shortConvolution`. Unit: tokens. */
  readonly taps?: number;
  /** Ranks of maps from the model's width to the values', each of two matrices (RWKV-7). */
  readonly ranks?: readonly number[];
  /** Number of maps that read each token mixed with the one before it, which the cache holds. */
  readonly shifts?: number;
  /** Keys, queries and time steps are made from the convolved values, time steps through this rank (Mamba). */
  readonly timeStepRank?: number;
};

export type AttentionShape = HeadsAttention | LatentAttention | StateAttention;

/** No attention: the layer is its network alone, as some of Nemotron-H's. */
export type NoAttention = { readonly kind: "none" };

/** One network that each token passes. */
export type DenseFeedForward = {
  readonly kind: "dense";
  /** F */
  readonly hiddenDim: number;
  /** Three matrices, as SwiGLU, instead of two. */
  readonly gated: boolean;
  readonly bias: boolean;
  /** Learned numbers of its activation (xIELU). Default 0. */
  readonly learned?: number;
  /** 1: it reads each token mixed with the one before it, which the cache holds. */
  readonly shifts?: number;
};

/** Many networks, of which each token passes a few. */
export type ExpertsFeedForward = {
  readonly kind: "experts";
  readonly numExperts: number;
  readonly expertsPerToken: number;
  readonly hiddenDim: number;
  readonly gated: boolean;
  readonly bias: boolean;
  /** The width of the expert that every token passes; 0 without one. */
  readonly sharedDim: number;
  /** The shared expert has a gate of its own. */
  readonly sharedGate: boolean;
  readonly routerBias: boolean;
};

/** No network: the layer is its mixer alone, as in Mamba. */
export type NoFeedForward = { readonly kind: "none" };

export type FeedForwardShape = DenseFeedForward | ExpertsFeedForward | NoFeedForward;

/** A residual stream several times as wide as a layer, which computes one part of it (AltUp, LAuReL). */
export type Streams = {
  /** N */
  readonly count: number;
  /** Rank of the learned residual beside attention. */
  readonly rank: number;
};

/** One layer. */
export type Layer = {
  readonly attention: AttentionShape | NoAttention;
  /** A mixer beside the attention, whose outputs are added (Falcon-H1). */
  readonly state?: StateAttention;
  /** Attention to the encoder's output. */
  readonly cross?: HeadsAttention;
  readonly feedForward: FeedForwardShape;
  /** Number of norms of the model's width. */
  readonly norms: number;
  /** Numbers of a token's embedding of this layer, which gates what the layer adds. Default: none. */
  readonly inputDim?: number;
  /** A learned factor of the output. Default false. */
  readonly scale?: boolean;
  /** Learned factors of each number that attention and the network add (DINOv2). Default false. */
  readonly partScales?: boolean;
};

/** A learned table, of which each token reads a row: positions, kinds of tokens, relative distances. */
export type Table = { readonly name: string; readonly rows: number; readonly width: number };

/** A convolution over the input of an encoder that hears or sees. A patch of an image is one kernel of all its pixels. */
export type Convolution = {
  readonly kernel: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
  /** Default true. */
  readonly bias?: boolean;
  /** Zeros at both ends, so that `stride` frames make one. Default true. */
  readonly padded?: boolean;
  /** An activation after it. Default false. */
  readonly activation?: boolean;
  /** A norm of all channels together after it (Moonshine). Default false. */
  readonly norm?: boolean;
};

/** Layers one after the other. */
export type Stack = {
  readonly layers: readonly Layer[];
  readonly tables: readonly Table[];
  readonly convolutions: readonly Convolution[];
  readonly embeddingNorm: boolean;
  readonly finalNorm: boolean;
  /**
   * Rows of each input, where all inputs have as many: frames of 30 seconds of sound (Whisper), the patches of an image and
   * its class token. Default: as many as the call says.
   */
  readonly rows?: number;
  /** A factor of the embeddings (BART, M2M-100). Default false. */
  readonly embeddingScale?: boolean;
  /** Computed positions, of sines and cosines, are added to the embeddings (Marian). Default false. */
  readonly sinusoids?: boolean;
  /** The final norm applies to the vector of an image alone (CLIP). Default false. */
  readonly pooledNorm?: boolean;
  /** Learned rows in front of those of the patches, with positions: of a class token, and of DeiT's second one. Default 0. */
  readonly classTokens?: number;
  /** Learned rows without positions (DINOv2 with registers). Default 0. */
  readonly registers?: number;
  /** A learned row for patches that are hidden in training (DINOv2). Default false. */
  readonly maskToken?: boolean;
  /** E, the width of embeddings, their tables and their norm (ALBERT, ELECTRA). Default: that of the model. */
  readonly embeddingDim?: number;
  /** Layers with weights of their own, which the others share (ALBERT). Default: all. */
  readonly ownLayers?: number;
  /** Streams of all layers. Default: one residual stream, as wide as the model. */
  readonly streams?: Streams;
  /** Numbers of a token's embedding of each layer. Default: none. */
  readonly inputDim?: number;
};

/** The shape of a model, as far as its cost goes: sizes and parts. */
export type ModelShape = {
  /** The `model_type` that it was read from. */
  readonly architecture: string;
  /** V; 0 of a model that reads no text. */
  readonly vocabSize: number;
  /** C */
  readonly embedDim: number;
  /** The width of a row of the token table; {@link embedDim} unless a matrix stands between. */
  readonly tokenDim: number;
  readonly norm: Norm;
  /** The longest sequence that it was made for; `null`: not known, without end, or no text. Unit: tokens. */
  readonly contextLength: number | null;
  readonly encoder?: Stack;
  readonly decoder?: Stack;
  /** The matrix after an encoder that makes one vector of a text or an image. */
  readonly pooler: boolean;
  /** A learned query that attends to all rows, and a network after it, make one vector (SigLIP). Default false. */
  readonly attentionPooling?: boolean;
  /** A matrix that maps the vector of a text or an image to one that both share (CLIP). Default: none. */
  readonly projection?: { readonly outputs: number; readonly bias: boolean };
  /** The encoder of images beside that of texts, and learned numbers of their similarity (CLIP, SigLIP). Default: none. */
  readonly images?: ModelShape & { readonly similarityNumbers: number };
  /** `tied`: logits are made with the token table; `own`: with a matrix of their own. */
  readonly output: "none" | "tied" | "own";
  readonly outputBias: boolean;
  /** A factor of rows before logits (T5). Default false. */
  readonly outputScale?: boolean;
  /** A bias of the matrix between the token table and the model. Default false. */
  readonly tokenMapBias?: boolean;
};
