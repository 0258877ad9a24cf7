import type { Positions, RotaryLayout } from "@qkv/attention";
import type { Cache } from "@qkv/attention-contract";
import type { KvCache } from "@qkv/kv-cache";
import type { linear, Tensor } from "@qkv/tensor";
import type { Activation } from "../layers/activation.js";
import type { AltUpConfig } from "../layers/alt-up.js";
import type { GateLimit } from "../layers/feed-forward.js";
import type { SharedExpertConfig } from "../layers/mixture-of-experts.js";
import type { DropoutRates } from "./model-dropout.js";
import type { NormKind } from "../layers/norm.js";
import type { PerLayerEmbeddingConfig } from "../layers/per-layer-embedding.js";
import type { RouterConfig } from "../layers/router.js";
import type { Placement, SequenceLayer } from "../layers/transformer-layer.js";
import type { HashConfig } from "./hash-embeddings.js";
import type { RopeScalingConfig } from "./rope-from-config.js";
import type { TaskHeadConfig } from "./task-head.js";

/** A layer in place of a decoder's own attention or feed-forward layer: `mixerLayer(…)`, or one of your own with the decoder's width. */
export type StackedLayer = SequenceLayer<object> & {
  /** Name for errors and tables. Default: `own`. */
  readonly name?: string;
  /** The same layer with other products, which quantized weights need. */
  withLinear?(map: typeof linear): SequenceLayer<object>;
};

/** Attention and a mixer beside each other: both read the same rows, and a layer adds what both give (Falcon-H1). */
export type HybridLayer = { readonly attention: "full" | "sliding"; readonly mixer: StackedLayer };

/**
 * Attention of one layer: `full`, over a window of `window` tokens, within chunks of `chunkSize` tokens, a layer that takes
 * its place, a mixer beside it, or `none`.
 */
export type LayerType = "full" | "sliding" | "chunked" | "none" | StackedLayer | HybridLayer;

/** Sizes of multi-head latent attention, whose keys and values of all heads are made from one latent of a token. */
export type LatentHeads = {
  /** Numbers of the latent. */
  kvRank: number;
  /** Numbers of a latent for queries. Default: queries are made from x at once. */
  queryRank?: number;
  /** Numbers of a head's query and key without positions. */
  nopeDim: number;
  /** Numbers of a head's query and key that rotate. */
  ropeDim: number;
  /** Numbers of a head's value. */
  valueDim: number;
};

/** The lightning indexer of latent attention (DSA): a small attention that chooses the keys which the heads read. */
export type IndexerConfig = {
  /** Index heads, which share one index key a token. */
  numHeads: number;
  /** Numbers of an index key. The first `latent.ropeDim` of them rotate, in the layout `half`. */
  headDim: number;
  /** Keys that a query reads. Unit: tokens. */
  topK: number;
};

/** Experts of a decoder's layers. */
export type ExpertsConfig = {
  numExperts: number;
  expertsPerToken: number;
  /** Weights of the chosen experts sum to 1. Default true. */
  normTopKProb?: boolean;
  /** F of an expert. Default: `hiddenDim`. */
  hiddenDim?: number;
  /** True for each layer with experts; the others have a feed-forward layer. Default: all have. */
  layers?: readonly boolean[];
  /** Choice of experts and their shares. Default: the softmax's highest. */
  router?: RouterConfig;
  /** An expert that every token uses. Default: none. */
  shared?: SharedExpertConfig;
};

/** Fields of one layer, in place of the model's own. */
export type LayerOverrides = Partial<
  Pick<
    DecoderConfig,
    "headDim" | "numKvHeads" | "hiddenDim" | "activationSparsity" | "ropeBase" | "ropeDim" | "ropeScaling"
  >
>;

/**
 * Configuration of a decoder. The defaults are Llama's, so GPT-2, Gemma or a mixture of
 * experts are a few entries more, and a sibling is a spread: `{ ...config, numKvHeads: 1 }`.
 */
export type DecoderConfig = {
  /** V */
  vocabSize: number;
  /** C, the model width. */
  embedDim: number;
  /** F, the width of the feed-forward layers. */
  hiddenDim: number;
  /** L */
  numLayers: number;
  /** H */
  numHeads: number;
  /** Hkv */
  numKvHeads: number;
  /** D, the size of one head. Default: C / H. */
  headDim?: number;
  /** The longest sequence that the model was trained for. Unit: tokens. */
  contextLength: number;
  /** Tokens at which generation ends. */
  stopIds: readonly number[];

  /** Default `rms`. */
  norm?: NormKind;
  /** Added to the mean square in norms. */
  normEps: number;
  /** Placement of the norms. Default `pre`. */
  placement?: Placement;
  /** Factor of what attention and feed-forward layers add. Default 1. */
  residualScale?: number;
  /** Default `silu`. */
  activation?: Activation;
  /** Gated feed-forward layers (SwiGLU). Default true. */
  gated?: boolean;
  /** Limits of gated feed-forward layers, as in gpt-oss. Default: none. */
  gateLimit?: GateLimit;
  /**
   * Share of a token's gates that stay closed, as far as gates are normally distributed (Gemma 3n). At least 0 and below
   * 1. Default 0.
   */
  activationSparsity?: number;
  /**
   * For each layer, true where it has a feed-forward layer or experts, false where it is a mixer alone, or a layer that takes
   * their place, such as RWKV's channel mix. Default: all have one.
   */
  feedForwardLayers?: readonly (boolean | StackedLayer)[];
  /** Maps with a bias in random weights; loaded weights with a bias use it. Default: none. */
  bias?: { queryKeyValue?: boolean; attentionOutput?: boolean; feedForward?: boolean };
  /** Experts in place of feed-forward layers. Default: none. */
  experts?: ExpertsConfig;

  /** Kind of positions. Default `rotary`. */
  positions?: "rotary" | "learned" | "alibi" | "none";
  /** Factor of ALiBi's slopes. Default 1. */
  alibiScale?: number;
  /** Default 10000. */
  ropeBase?: number;
  /** Default `half`. */
  ropeLayout?: RotaryLayout;
  /** Rotated dimensions of a head. Default: all. */
  ropeDim?: number;
  /** Default: none. */
  ropeScaling?: RopeScalingConfig;
  /** True for each layer that rotates; the others know no positions (NoPE), but by the mask. Default: all rotate. */
  ropeLayers?: readonly boolean[];
  /** The base in layers with a window, which are not scaled then. Default: as in the others. */
  slidingRopeBase?: number;

  /**
   * Bidirectional attention, as in an embedding model (EmbeddingGemma). It takes complete texts: nothing is
   * generated, and there is no cache. Default false: causal.
   */
  bidirectional?: boolean;
  /**
   * Attention type of each layer: a sliding window of `window` tokens, chunks of `chunkSize`, full, or a layer such as `mixerLayer(…)` in its
   * place, which makes a hybrid stack. Default: all `full`.
   */
  layerTypes?: readonly LayerType[];
  /**
   * Keys that a query of a sliding layer sees, itself included; where it is bidirectional, half of the others on each side.
   * Unit: tokens.
   */
  window?: number;
  /** Tokens of a chunk, in layers that attend within chunks (Llama 4). */
  chunkSize?: number;
  /** Scale of dot products. Default: 1 / √D. */
  attentionScale?: number;
  /** Bends scores into (−softcap, softcap). Default: off. */
  attentionSoftcap?: number;
  /**
   * Normalizes queries and keys: true head by head, `heads` over all heads of a token together, `unit` head by head without a
   * gain. Default false.
   */
  qkNorm?: boolean | "heads" | "unit";
  /** Normalizes values too, head by head without a gain, beside `qkNorm` (Gemma 3n). Default false. */
  valueNorm?: boolean;
  /** `afterRope`: they are normalized after the rotation, in layers that rotate. Default `beforeRope`. */
  qkNormPlace?: "beforeRope" | "afterRope";
  /**
   * Scales queries by position, in layers that do not rotate (Llama 4). `everywhere`: in all layers, and each step begins a
   * token later (Ministral 3). Default: none.
   */
  queryTemperature?: { floorScale: number; attnScale: number; everywhere?: boolean };
  /** Subtracts the attention of half of the heads from that of the others (DiffLlama). Default false. */
  differential?: boolean;
  /** Latent attention (MLA) in place of key-value heads; `numKvHeads` is not read then. Default: none. */
  latent?: LatentHeads;
  /** Chooses the keys that latent attention reads; index queries are made from its latent for queries. Default: none. */
  indexer?: IndexerConfig;
  /**
   * For each layer, the layer whose keys and values it reads: its own number, or that of an earlier one of the same type
   * that makes its own. A cache holds them once. Default: each makes its own.
   */
  sharedKeyValues?: readonly number[];
  /** Gates outputs of heads by the layer's input, each number or each head. Default: none. */
  attentionGate?: "elementwise" | "headwise";
  /** A learned logit of each head joins the softmax's sum. Default false. */
  sinks?: boolean;

  /**
   * Of each layer, what it has in place of the model's own: sizes of heads and of the feed-forward layer, a rotary
   * embedding. Undefined: nothing. Default: layers are alike.
   */
  layerOverrides?: readonly (LayerOverrides | undefined)[];
  /** Rank of a learned residual beside attention (LAuReL). Default: none. */
  laurelRank?: number;
  /** Several residual streams, of which layers compute one (AltUp). Default: one stream. */
  altUp?: AltUpConfig;
  /** A second embedding, of which each layer reads numbers of its own (Gemma 3n). Default: none. */
  perLayerEmbedding?: PerLayerEmbeddingConfig;
  /** A learned factor of each layer's output (Gemma 4). Default false. */
  layerScale?: boolean;

  /** Scale of embeddings. Default 1; Gemma: √C. */
  embeddingScale?: number;
  /** Normalizes embeddings. Default false. */
  embeddingNorm?: boolean;
  /** Factor of logits. Default 1. */
  logitScale?: number;
  /** Bends logits into (−softcap, softcap). Default: off. */
  logitSoftcap?: number;

  /** Shares that are dropped in a call with `dropoutSeed`: in training. Exports leave them out. Default: none. */
  dropout?: DropoutRates;

  /**
   * Bytes in place of tokens: `bytePatches({ … })` groups them into patches, which a larger transformer reads (BLT). The
   * decoder's own layers are the local decoder then. Default: none.
   */
  bytePatches?: BytePatches;
  /** A head for a task, which {@link taskLogits} applies to rows (`output: "rows"`). Default: none. */
  head?: TaskHeadConfig;
};

/** Layers alone, without embeddings and an output map. */
export type LayersConfig = Omit<
  DecoderConfig,
  "vocabSize" | "contextLength" | "stopIds" | "bytePatches" | "head"
>;

export type BytePatchesConfig = {
  /** The entropy model: a small decoder of the same bytes. */
  patcher: DecoderConfig;
  /** A patch ends at a byte whose next one has a higher entropy. Unit: nats. */
  threshold: number;
  /** Embeddings of n-grams of bytes, which are added to those of bytes. */
  hashes: HashConfig;
  /** The local encoder: layers over bytes, as wide as the decoder. */
  encoder: LayersConfig;
  /** The global transformer: layers over patches. */
  global: LayersConfig;
  /** Rows, as wide as the decoder, that a patch is made of and read as: `cross_attn_k`. */
  rowsPerPatch: number;
};

/** The part of a decoder that groups bytes into patches: created from its configuration; the params are passed to each call. */
export type BytePatches = {
  readonly name: "bytePatches";
  readonly config: BytePatchesConfig;
  /** A cache for a decoder, with layers for its patches. */
  cache(config: DecoderConfig): KvCache;
  /**
   * The same for one decoder.
   *
   * @param tools - `decoder`, which makes the layers: it is handed over, so that a configuration alone does not bring its
   *   code. `linear`: products with matrices, default those in floats.
   */
  bind(config: DecoderConfig, tools: BytePatchesTools): BoundBytePatches;
};

type BytePatchesTools = {
  readonly decoder: (config: DecoderConfig, kernels?: { linear?: typeof linear }) => object;
  readonly linear: typeof linear | undefined;
};

/** Byte patches of one decoder. */
export type BoundBytePatches = {
  /** Random weights. */
  init(seed: number): object;
  /** Embeddings of bytes `[B, T, C]` to rows for the decoder's first layer, and what each of its layers does before. */
  apply(
    params: object,
    embedded: Tensor,
    call: BytePatchesCall,
  ): { readonly rows: Tensor; beforeLayer(layer: number, x: Tensor): Tensor };
};

/** Options of the decoder's call that patches are made with, and its ids. */
export type BytePatchesCall = {
  readonly tokens: Tensor;
  readonly positions: Positions;
  readonly cache?: Cache;
  readonly patchLengths?: ArrayLike<number> | readonly ArrayLike<number>[];
};
