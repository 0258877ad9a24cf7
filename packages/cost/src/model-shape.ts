import type { MixerName } from "./mixer-counts.js";

/** A norm: `layer` has gains and biases, `rms` and `layer-without-bias` only gains, `plain` nothing learned. */
export type Norm = "rms" | "layer" | "layer-without-bias" | "plain";

/**
 * The keys that a query sees. `window`: the last `size` keys, the query's own included. `chunk`: causal within chunks of `size`
 * tokens. `around`: `size` keys on each side, and the query's own.
 */
export type Reach =
  | { readonly kind: "all" }
  | { readonly kind: "causal" }
  | { readonly kind: "window"; readonly size: number }
  | { readonly kind: "chunk"; readonly size: number }
  | { readonly kind: "around"; readonly size: number };

/** Grouped-query attention: MHA if `numKvHeads` equals `numHeads`, MQA if it is 1. */
export type HeadsAttention = {
  readonly kind: "heads";
  /** H */
  readonly numHeads: number;
  /** Hkv, a divisor of H. */
  readonly numKvHeads: number;
  /** D */
  readonly headDim: number;
  readonly reach: Reach;
  /** Rotated dimensions of a head; 0 without rotary embedding. */
  readonly rotaryDim: number;
  readonly biases: { readonly query: boolean; readonly key: boolean; readonly output: boolean };
  /** QK norm. `head`: each head, with one gain for all heads. `whole`: all heads together. */
  readonly queryKeyNorm: "none" | "head" | "whole";
  /** Attention sinks: a learned logit for each head. */
  readonly sinks: boolean;
  /** The query projection is twice as wide; its second half gates the output. */
  readonly outputGate: boolean;
  /** True: the layer reads keys, values and cache of an earlier layer (Gemma 3n). Default false. */
  readonly sharesKeyValues?: boolean;
  /** True: differential attention, the difference of two softmaxes (DiffLlama). Default false. */
  readonly differential?: boolean;
};

/** Multi-head latent attention (MLA): the cache holds one latent row and one rotated key per token, for all heads. */
export type LatentAttention = {
  readonly kind: "latent";
  readonly numHeads: number;
  /** Rank of the low-rank query projection; `null`: a full projection. */
  readonly queryRank: number | null;
  readonly kvRank: number;
  /** Unrotated dimensions of a key, for each head. */
  readonly nopeDim: number;
  /** Rotated dimensions of a key, shared by all heads. */
  readonly ropeDim: number;
  readonly valueDim: number;
  readonly reach: Reach;
  /** The lightning indexer selects `topK` keys for each query; the cache holds its keys too (DSA). */
  readonly indexer?: { readonly numHeads: number; readonly headDim: number; readonly topK: number };
};

/** A recurrent layer: projections and a mixer with a state in place of cached keys and values. */
export type StateAttention = {
  readonly kind: "state";
  readonly mixer: MixerName;
  /** Number of heads of queries and keys. */
  readonly numKeyHeads: number;
  /** Number of heads of values, each with a state. */
  readonly numValueHeads: number;
  readonly keyDim: number;
  readonly valueDim: number;
  /** Kernel size of the convolution over queries, keys and values; 1: none. Unit: tokens. */
  readonly convolution: number;
  readonly convolutionBias: boolean;
  /** Width of the projection to gates: decays, strengths, time steps. */
  readonly gates: number;
  /** Learned numbers of the mixer, such as `A_log` and `dt_bias`. */
  readonly learned: number;
  /** Norm of the output. `head`: RMS norm of each head with one gain. `whole`: RMS norm of all heads. `layer`: layer norm of each head with its own gains. */
  readonly outputNorm: "none" | "head" | "whole" | "layer";
  readonly outputGate: boolean;
  /** Taps of `shortConvolution`. Unit: tokens. */
  readonly taps?: number;
  /** Ranks of low-rank maps from the model's width to the values' (RWKV-7). */
  readonly ranks?: readonly number[];
  /** Number of linear maps with a token shift: they read an interpolation of a token and the one before it, which is cached. */
  readonly shifts?: number;
  /** Rank of the time step projection; keys and queries are projected from the convolved values too (Mamba). */
  readonly timeStepRank?: number;
};

export type AttentionShape = HeadsAttention | LatentAttention | StateAttention;

/** No attention: the layer is only a feed-forward layer (Nemotron-H). */
export type NoAttention = { readonly kind: "none" };

/** A dense feed-forward layer. */
export type DenseFeedForward = {
  readonly kind: "dense";
  /** F */
  readonly hiddenDim: number;
  /** Three matrices, as in SwiGLU, instead of two. */
  readonly gated: boolean;
  readonly bias: boolean;
  /** Learned parameters of its activation function (xIELU). Default 0. */
  readonly learned?: number;
  /** 1: it has a token shift: it reads an interpolation of a token and the one before it, which is cached. Default 0. */
  readonly shifts?: number;
};

/** A mixture of experts. */
export type ExpertsFeedForward = {
  readonly kind: "experts";
  readonly numExperts: number;
  readonly expertsPerToken: number;
  readonly hiddenDim: number;
  readonly gated: boolean;
  readonly bias: boolean;
  /** Hidden width of the shared expert; 0 without one. */
  readonly sharedDim: number;
  /** True: a gate scales the shared expert's output. */
  readonly sharedGate: boolean;
  readonly routerBias: boolean;
};

/** No feed-forward layer: the layer is only a mixer (Mamba). */
export type NoFeedForward = { readonly kind: "none" };

export type FeedForwardShape = DenseFeedForward | ExpertsFeedForward | NoFeedForward;

/** AltUp and LAuReL: several residual streams, of which a layer computes one. */
export type Streams = {
  /** N, the number of streams. */
  readonly count: number;
  /** Rank of LAuReL, a learned residual parallel to attention. */
  readonly rank: number;
};

/** One layer. */
export type Layer = {
  readonly attention: AttentionShape | NoAttention;
  /** A recurrent mixer parallel to attention (Falcon-H1). */
  readonly state?: StateAttention;
  /** Cross-attention to the encoder's output. */
  readonly cross?: HeadsAttention;
  readonly feedForward: FeedForwardShape;
  /** Number of norms of the model's width. */
  readonly norms: number;
  /** Width of the per-layer embedding, which is gated and added. Default: none. */
  readonly inputDim?: number;
  /** A learned scalar factor of the output. Default false. */
  readonly scale?: boolean;
  /** LayerScale: a learned factor for each channel of the outputs of attention and feed-forward (DINOv2). Default false. */
  readonly partScales?: boolean;
};

/** An embedding table: positions, token types, relative positions. */
export type Table = { readonly name: string; readonly rows: number; readonly width: number };

/** A convolution before an encoder of audio or images. For images, `kernel` and `stride` are the pixels of a patch. */
export type Convolution = {
  readonly kernel: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
  /** Default true. */
  readonly bias?: boolean;
  /** Zero padding at both ends, so that the output has `1 / stride` of the frames. Default true. */
  readonly padded?: boolean;
  /** True: an activation follows. Default false. */
  readonly activation?: boolean;
  /** True: a group norm with one group follows (Moonshine). Default false. */
  readonly norm?: boolean;
};

/** An encoder or a decoder. */
export type Stack = {
  readonly layers: readonly Layer[];
  readonly tables: readonly Table[];
  readonly convolutions: readonly Convolution[];
  readonly embeddingNorm: boolean;
  readonly finalNorm: boolean;
  /**
   * Fixed number of rows of each input: frames of 30 seconds of audio (Whisper), patches of an image and learned tokens.
   * Default: not fixed, given by each call.
   */
  readonly rows?: number;
  /** True: embeddings are scaled (BART, M2M-100). Default false. */
  readonly embeddingScale?: boolean;
  /** True: sinusoidal positions are added to the embeddings (Marian). Default false. */
  readonly sinusoids?: boolean;
  /** True: the final norm applies only to the pooled vector of an image (CLIP). Default false. */
  readonly pooledNorm?: boolean;
  /** Number of learned tokens with positions before the patches: the class token, and DeiT's distillation token. Default 0. */
  readonly classTokens?: number;
  /** Number of register tokens, which have no positions (DINOv2 with registers). Default 0. */
  readonly registers?: number;
  /** True: a learned token replaces masked patches in training (DINOv2). Default false. */
  readonly maskToken?: boolean;
  /** E, the width of embeddings, their tables and their norm (ALBERT, ELECTRA). Default: the model's width. */
  readonly embeddingDim?: number;
  /** Number of layers with their own weights; the others share them (ALBERT). Default: all. */
  readonly ownLayers?: number;
  /** AltUp streams and LAuReL. Default: one residual stream. */
  readonly streams?: Streams;
  /** Width of per-layer embeddings. Default: none. */
  readonly inputDim?: number;
};

/** The shape of a model: all sizes and parts that determine its cost. */
export type ModelShape = {
  /** The `model_type` that it was read from. */
  readonly architecture: string;
  /** V; 0 for a model that does not read text. */
  readonly vocabSize: number;
  /** C */
  readonly embedDim: number;
  /** Width of the token table; differs from {@link embedDim} if a projection follows. */
  readonly tokenDim: number;
  readonly norm: Norm;
  /** The longest sequence that it supports; `null`: unknown, unlimited, or no text. Unit: tokens. */
  readonly contextLength: number | null;
  readonly encoder?: Stack;
  readonly decoder?: Stack;
  /** True: a pooler, a linear map on the pooled vector, follows the encoder. */
  readonly pooler: boolean;
  /** True: attention pooling, a learned query that attends to all rows (SigLIP). Default false. */
  readonly attentionPooling?: boolean;
  /** Projection of the vector of a text or an image to the shared space (CLIP). Default: none. */
  readonly projection?: { readonly outputs: number; readonly bias: boolean };
  /** The image encoder of a dual encoder, and the number of learned scales and biases of the similarity (CLIP, SigLIP). Default: none. */
  readonly images?: ModelShape & { readonly similarityNumbers: number };
  /** Output projection to logits. `tied`: the token table. `own`: a separate matrix. */
  readonly output: "none" | "tied" | "own";
  readonly outputBias: boolean;
  /** True: rows are scaled before the output projection (T5). Default false. */
  readonly outputScale?: boolean;
  /** True: the projection after the token table has a bias. Default false. */
  readonly tokenMapBias?: boolean;
};
