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

/** A layer in place of attention or a feed-forward layer: `mixerLayer(…)`, or a custom layer with the width of the decoder. */
export type StackedLayer = SequenceLayer<object> & {
  /** Name in errors, and in comparisons of configurations. Default: `own`. */
  readonly name?: string;
  /** Creates the same layer with another `linear`, for quantized weights. */
  withLinear?(map: typeof linear): SequenceLayer<object>;
};

/** Attention and a mixer in parallel: both have the same input, and their outputs are added (Falcon-H1). */
export type HybridLayer = { readonly attention: "full" | "sliding"; readonly mixer: StackedLayer };

/**
 * Type of one layer: `full` attention, a sliding window of `window` tokens, chunks of `chunkSize` tokens, a custom layer,
 * attention with a parallel mixer, or `none`.
 */
export type LayerType = "full" | "sliding" | "chunked" | "none" | StackedLayer | HybridLayer;

/** Sizes of multi-head latent attention (MLA): keys and values of all heads are computed from one latent per token. */
export type LatentHeads = {
  /** Dimension of the latent. */
  kvRank: number;
  /** Dimension of the query latent. Default: queries are projected directly from x. */
  queryRank?: number;
  /** Dimensions of a head's query and key without RoPE. */
  nopeDim: number;
  /** Dimensions of a head's query and key with RoPE. */
  ropeDim: number;
  /** Dimension of a head's value. */
  valueDim: number;
};

/** The lightning indexer of DeepSeek sparse attention (DSA): a small attention that chooses the keys of the heads. */
export type IndexerConfig = {
  /** Number of index heads, which share one index key per token. */
  numHeads: number;
  /** Dimension of an index key. RoPE rotates its first `latent.ropeDim` dimensions, in the layout `half`. */
  headDim: number;
  /** Number of keys per query. Unit: tokens. */
  topK: number;
};

/** Mixture of experts of a decoder. */
export type ExpertsConfig = {
  numExperts: number;
  expertsPerToken: number;
  /** Normalizes the routing weights of the chosen experts to sum to 1. Default true. */
  normTopKProb?: boolean;
  /** F of an expert. Default: `hiddenDim`. */
  hiddenDim?: number;
  /** For each layer, true if it has experts, false if it has a feed-forward layer. Default: all layers have experts. */
  layers?: readonly boolean[];
  /** Router options. Default: the experts with the highest softmax scores. */
  router?: RouterConfig;
  /** Shared expert, which processes every token. Default: none. */
  shared?: SharedExpertConfig;
};

/** Fields of one layer that override those of the model. */
export type LayerOverrides = Partial<
  Pick<
    DecoderConfig,
    "headDim" | "numKvHeads" | "hiddenDim" | "activationSparsity" | "ropeBase" | "ropeDim" | "ropeScaling"
  >
>;

/**
 * Configuration of a decoder. The defaults are Llama's, so GPT-2, Gemma or a mixture of
 * experts are a few entries more, and a variant is a spread: `{ ...config, numKvHeads: 1 }`.
 */
export type DecoderConfig = {
  /** V */
  vocabSize: number;
  /** C, the model width. */
  embedDim: number;
  /** F, the hidden width of the feed-forward layers. */
  hiddenDim: number;
  /** L */
  numLayers: number;
  /** H */
  numHeads: number;
  /** Hkv */
  numKvHeads: number;
  /** D, the head dimension. Default: C / H. */
  headDim?: number;
  /** The longest sequence that the model was trained for. Unit: tokens. */
  contextLength: number;
  /** Stop ids, at which generation ends. */
  stopIds: readonly number[];

  /** Default `rms`. */
  norm?: NormKind;
  /** Epsilon of norms, added to the mean square. */
  normEps: number;
  /** Placement of the norms. Default `pre`. */
  placement?: Placement;
  /** Multiplies the outputs of attention and feed-forward layers before they are added to the residual. Default 1. */
  residualScale?: number;
  /** Default `silu`. */
  activation?: Activation;
  /** Gated feed-forward layers (SwiGLU). Default true. */
  gated?: boolean;
  /** Limits of gated feed-forward layers, as in gpt-oss. Default: none. */
  gateLimit?: GateLimit;
  /**
   * Activation sparsity (Gemma 3n): the fraction of a token's gates that become 0, for normally distributed gates. At least 0 and below
   * 1. Default 0.
   */
  activationSparsity?: number;
  /**
   * For each layer, true if it has a feed-forward layer or experts, false if it has only a mixer or attention, or a custom layer in
   * place of the feed-forward layer, such as RWKV's channel mixing. Default: all layers have one.
   */
  feedForwardLayers?: readonly (boolean | StackedLayer)[];
  /** Projections with a bias in initial params. Loaded params use the biases that they have. Default: none. */
  bias?: { queryKeyValue?: boolean; attentionOutput?: boolean; feedForward?: boolean };
  /** Mixture of experts in place of feed-forward layers. Default: none. */
  experts?: ExpertsConfig;

  /** Kind of positions. Default `rotary`. */
  positions?: "rotary" | "learned" | "alibi" | "none";
  /** Multiplies ALiBi's slopes. Default 1. */
  alibiScale?: number;
  /** Default 10000. */
  ropeBase?: number;
  /** Default `half`. */
  ropeLayout?: RotaryLayout;
  /** Rotated dimensions of a head. Default: all. */
  ropeDim?: number;
  /** Default: none. */
  ropeScaling?: RopeScalingConfig;
  /** For each layer, true if it has RoPE; the others have no positional encoding (NoPE). Default: all layers have RoPE. */
  ropeLayers?: readonly boolean[];
  /** Rotary base of sliding-window layers, which then have no scaling. Default: as in the other layers. */
  slidingRopeBase?: number;

  /**
   * Bidirectional attention, as in embedding models (EmbeddingGemma). Such a model needs complete texts: it does not
   * generate, and has no cache. Default false: causal.
   */
  bidirectional?: boolean;
  /**
   * Type of each layer: a sliding window of `window` tokens, chunks of `chunkSize`, full attention, or a layer such as `mixerLayer(…)` in its
   * place, which makes a hybrid stack. Default: all `full`.
   */
  layerTypes?: readonly LayerType[];
  /**
   * Number of keys that a query of a sliding-window layer sees, itself included. In a bidirectional model, half of the others are on each side.
   * Unit: tokens.
   */
  window?: number;
  /** Tokens per chunk, in layers with chunked attention (Llama 4). */
  chunkSize?: number;
  /** Scale of dot products. Default: 1 / √D. */
  attentionScale?: number;
  /** Softcap of scores, `softcap · tanh(x / softcap)`. Default: none. */
  attentionSoftcap?: number;
  /**
   * Norm of queries and keys: true per head, `heads` over all heads of a token, `unit` per head without a
   * gain. Default false.
   */
  qkNorm?: boolean | "heads" | "unit";
  /** With `qkNorm`, also normalizes values, per head without a gain (Gemma 3n). Default false. */
  valueNorm?: boolean;
  /** `afterRope`: the norm is after RoPE, in layers with RoPE. Default `beforeRope`. */
  qkNormPlace?: "beforeRope" | "afterRope";
  /**
   * Query temperature scaling by position, in layers without RoPE (Llama 4). `everywhere`: in all layers, and each step begins one
   * token later (Ministral 3). Default: none.
   */
  queryTemperature?: { floorScale: number; attnScale: number; everywhere?: boolean };
  /** Differential attention: subtracts the attention of half of the heads from that of the others (DiffLlama). Default false. */
  differential?: boolean;
  /** Multi-head latent attention (MLA) in place of key-value heads; `numKvHeads` is then ignored. Default: none. */
  latent?: LatentHeads;
  /** Chooses the keys of latent attention; index queries are computed from its query latent. Default: none. */
  indexer?: IndexerConfig;
  /**
   * For each layer, the index of the layer whose keys and values it uses: its own, or an earlier layer of the same type
   * that computes its own. A cache stores them once. Default: each layer computes its own.
   */
  sharedKeyValues?: readonly number[];
  /** Output gate of attention, computed from the layer input, elementwise or per head. Default: none. */
  attentionGate?: "elementwise" | "headwise";
  /** Attention sinks: a learned logit per head is added to the softmax denominator. Default false. */
  sinks?: boolean;

  /**
   * Per-layer overrides: sizes of heads and of the feed-forward layer, a rotary
   * embedding. Undefined for layers without overrides. Default: none.
   */
  layerOverrides?: readonly (LayerOverrides | undefined)[];
  /** Rank of LAuReL, a learned residual parallel to attention. Default: none. */
  laurelRank?: number;
  /** AltUp: several residual streams, of which each layer computes one. Default: one stream. */
  altUp?: AltUpConfig;
  /** Per-layer embeddings (Gemma 3n). Default: none. */
  perLayerEmbedding?: PerLayerEmbeddingConfig;
  /** A learned scale of each layer's output (Gemma 4). Default false. */
  layerScale?: boolean;

  /** Scale of embeddings. Default 1; Gemma: √C. */
  embeddingScale?: number;
  /** Normalizes embeddings. Default false. */
  embeddingNorm?: boolean;
  /** Factor of logits. Default 1. */
  logitScale?: number;
  /** Softcap of logits, `softcap · tanh(x / softcap)`. Default: none. */
  logitSoftcap?: number;

  /** Dropout rates, for calls with `dropoutSeed`. Exports omit them. Default: none. */
  dropout?: DropoutRates;

  /**
   * Bytes in place of tokens: `bytePatches({ … })` groups them into patches for a larger transformer (BLT). The
   * layers of the decoder are then the local decoder. Default: none.
   */
  bytePatches?: BytePatches;
  /** A task head, which {@link taskLogits} applies to rows (`output: "rows"`). Default: none. */
  head?: TaskHeadConfig;

  /** The checkpoint that the params were loaded from, for adapters. Exports omit it. Default: none, for a model made here. */
  checkpoint?: CheckpointSource;
};

/** Layout of the checkpoint that params were loaded from. An adapter has its tensor names, its row order and its scale. */
export type CheckpointSource = {
  /** `model_type` of its `config.json`, or of the model that a GGUF file was converted from. */
  readonly modelType: string;
  /**
   * Multipliers of its `config.json` that loading folded into the params, by path, such as `layers.0.attention.key.weight`. Default of
   * each: 1. `unknown`: a converter folded them, and the file does not state them.
   */
  readonly factors?: Readonly<Record<string, number>> | "unknown";
};

/** Configuration of layers without embeddings and output projection. */
export type LayersConfig = Omit<
  DecoderConfig,
  "vocabSize" | "contextLength" | "stopIds" | "bytePatches" | "head" | "checkpoint"
>;

export type BytePatchesConfig = {
  /** The entropy model: a small decoder over the same bytes. */
  patcher: DecoderConfig;
  /** Entropy threshold: a patch ends at a byte if the entropy of the next byte is higher. Unit: nats. */
  threshold: number;
  /** Hash embeddings of byte n-grams, which are added to the byte embeddings. */
  hashes: HashConfig;
  /** The local encoder: layers over bytes, as wide as the decoder. */
  encoder: LayersConfig;
  /** The global transformer: layers over patches. */
  global: LayersConfig;
  /** Number of rows per patch in the cross-attentions, as wide as the decoder (`cross_attn_k`). */
  rowsPerPatch: number;
};

/** The part of a decoder that groups bytes into patches: created from its configuration; the params are passed to each call. */
export type BytePatches = {
  readonly name: "bytePatches";
  readonly config: BytePatchesConfig;
  /** Creates a cache for a decoder, with layers for its patches. */
  cache(config: DecoderConfig): KvCache;
  /**
   * Binds the byte patches to a decoder.
   *
   * @param tools - `decoder`, which creates the layers. It is passed, so that importing a configuration does not import its
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
  /** Computes the input of the decoder's first layer from byte embeddings `[B, T, C]`, and the cross-attention to apply before each of its layers. */
  apply(
    params: object,
    embedded: Tensor,
    call: BytePatchesCall,
  ): { readonly rows: Tensor; beforeLayer(layer: number, x: Tensor): Tensor };
};

/** Options and ids of the decoder call, for computing patches. */
export type BytePatchesCall = {
  readonly tokens: Tensor;
  readonly positions: Positions;
  readonly cache?: Cache;
  readonly patchLengths?: ArrayLike<number> | readonly ArrayLike<number>[];
};
