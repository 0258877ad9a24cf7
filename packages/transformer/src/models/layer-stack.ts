import { checks, type Checks } from "@qkv/core";
import {
  causal,
  crossAttention,
  learnedPositions,
  multiHead,
  t5Bias,
  type CrossAttentionLayer,
  type Positions,
  type ScoreMod,
} from "@qkv/attention";
import { type Cache, type KeyValues, type Mask, positionsAfter } from "@qkv/attention-contract";
import { add, mul, randn, splitSeed, type linear, type Tensor } from "@qkv/tensor";
import { activationFunction, type Activation } from "../layers/activation.js";
import { checkLayerCount } from "../layers/check-params.js";
import { feedForward, type FeedForwardParams } from "../layers/feed-forward.js";
import { norm, type NormKind, type NormParams } from "../layers/norm.js";
import { recordTensor, traceAt, type ModelTrace } from "../layers/trace.js";
import { transformerLayer, type TransformerLayerParams } from "../layers/transformer-layer.js";
import { ropeFromConfig } from "./rope-from-config.js";
import { sinusoidalPositions, type SinusoidConfig } from "./sinusoidal-positions.js";

/** Configuration of the layers of an encoder or decoder in an encoder–decoder. The defaults are BART's. */
export type LayerStackConfig = {
  /** C, the model width. */
  embedDim: number;
  /** F, the hidden width of the feed-forward layers. */
  hiddenDim: number;
  /** L */
  numLayers: number;
  /** H */
  numHeads: number;
  /** D. Default: C / H. */
  headDim?: number;
  /** The longest sequence; with learned positions, their number. Unit: tokens. */
  contextLength: number;
  /** Kind of all norms. Default `layer`. */
  norm?: NormKind;
  /** Epsilon of norms. Default 1e-5. */
  normEps?: number;
  /** Placement of the norms. With `pre`, there is a final norm. Default `post`. */
  placement?: "post" | "pre";
  /** A norm after the embeddings. Default false. */
  embeddingNorm?: boolean;
  /** Multiplies the embeddings. Default 1. */
  embeddingScale?: number;
  /** Default `gelu`. */
  activation?: Activation;
  /** Gated feed-forward layers. Default false. */
  gated?: boolean;
  /** Biases of projections in initial params; loaded params have the biases that are stored. Default true. */
  bias?: boolean;
  /** Scale of attention scores. Default: 1 / √D; T5 has 1. */
  attentionScale?: number;
  /** Kind of positions. `relative` is T5's relative position bias. Default `learned`. */
  positions?: "learned" | "sinusoidal" | "rotary" | "relative" | "none";
  /** With the positions `sinusoidal`. */
  sinusoids?: SinusoidConfig;
  /** With the positions `rotary`. */
  rope?: {
    /** Default 10000. */
    base?: number;
    /** Rotated dimensions of a head. Default: all. */
    dim?: number;
    /** Default `half`. */
    layout?: "half" | "interleaved";
  };
  /** With the positions `relative`. */
  relativeBias?: {
    numBuckets: number;
    /** Distance from which on all keys share the last bucket. Unit: tokens. */
    maxDistance: number;
    /** True: each layer has its own bias table (UMT5). Default false: all layers share one. */
    perLayer?: boolean;
  };
};

/** Params of a layer stack. In a decoder, layers have cross-attention. */
export type LayerStackParams = {
  /** `[contextLength, C]`, for learned positions. */
  positions?: { weight: Tensor };
  /** `[C]`, with `embeddingNorm`. */
  embeddingNorm?: NormParams;
  /** `[numBuckets, H]` each: one shared table, or one per layer. */
  relativeBias?: { weight: Tensor }[];
  layers: TransformerLayerParams<FeedForwardParams>[];
  /** `[C]`, with the placement `pre`. */
  norm?: NormParams;
};

/** Further inputs of a call. */
export type LayerStackCall = {
  cache?: Cache;
  positions?: Positions;
  mask?: Mask;
  /** For a decoder: keys and values of the source per layer, and its padding mask. */
  source?: { readonly keyValues: readonly KeyValues[]; readonly mask?: Mask };
  trace?: ModelTrace;
};

/** Seeds of initial params: of each layer, and of positions. */
export type LayerStackSeeds = {
  readonly positions: number;
  readonly layers: readonly number[];
};

/** A stack of layers, including positions and final norm. */
export type LayerStack = {
  /** Random weights. */
  init(seeds: LayerStackSeeds): LayerStackParams;
  /** Embeddings `[B, T, C]` to rows `[B, T, C]`. */
  apply(params: LayerStackParams, embeddings: Tensor, call: LayerStackCall): Tensor;
  /** For a decoder: computes keys and values of the encoder output `[B, S, contextDim]` per layer. */
  keyValues(params: LayerStackParams, rows: Tensor): readonly KeyValues[];
};

/**
 * The layers of a bidirectional encoder, or of a causal decoder with cross-attention to a
 * source.
 *
 * @param contextDim - For a decoder: the width of the source. Undefined: an encoder.
 */
export function layerStack(
  fn: string,
  config: LayerStackConfig,
  contextDim: number | undefined,
  kernels: { linear?: typeof linear } = {},
): LayerStack {
  checkLayerStack(checks(fn), config);
  const onApply = checks(`${fn}.apply`);
  const { embedDim: C, hiddenDim: F, numLayers, numHeads, contextLength, normEps: eps = 1e-5 } = config;
  const { headDim = C / numHeads, bias = true, placement = "post", positions: kind = "learned" } = config;
  const { relativeBias, rope } = config;
  const layerNorm = norm({ kind: config.norm ?? "layer", embedDim: C, eps });
  const table = kind === "learned" ? learnedPositions({ length: contextLength, embedDim: C }) : undefined;
  const heads = {
    ...{ embedDim: C, numHeads, headDim, bias },
    ...(config.attentionScale !== undefined && { scale: config.attentionScale }),
    ...kernels,
  };
  const isDecoder = contextDim !== undefined;
  const cross: CrossAttentionLayer | undefined = isDecoder
    ? crossAttention({ ...heads, contextDim })
    : undefined;
  const layer = transformerLayer({
    attention: multiHead({
      ...heads,
      ...(isDecoder && { mask: causal() }),
      ...(kind === "rotary" && {
        rope: ropeFromConfig(
          {
            headDim,
            base: rope?.base ?? 10000,
            layout: rope?.layout ?? "half",
            ...(rope?.dim !== undefined && { rotaryDim: rope.dim }),
          },
          undefined,
        ),
      }),
    }),
    ...(cross && { crossAttention: cross }),
    feedForward: feedForward({
      embedDim: C,
      hiddenDim: F,
      activation: config.activation ?? "gelu",
      gated: config.gated ?? false,
      bias,
      ...kernels,
    }),
    norm: layerNorm,
    placement,
  });
  const numTables = relativeBias?.perLayer ? numLayers : 1;
  return {
    init(seeds) {
      const draw = (seed: number, shape: number[]) => mul(randn(shape, { seed }), 0.02);
      return {
        ...(table && { positions: table.init(seeds.positions) }),
        ...(config.embeddingNorm && { embeddingNorm: layerNorm.init() }),
        ...(kind === "relative" && {
          relativeBias: splitSeed(seeds.positions, numTables).map((seed) => ({
            weight: draw(seed, [relativeBias!.numBuckets, numHeads]),
          })),
        }),
        layers: seeds.layers.map((seed) => layer.init(seed)),
        ...(placement === "pre" && { norm: layerNorm.init() }),
      };
    },
    apply(params, embeddings, { cache, source, mask, trace, ...call }) {
      checkLayerCount(onApply, params, numLayers);
      const [B, T] = embeddings.shape as [number, number, number];
      const positions = call.positions ?? positionsAfter(cache, T);
      let x = config.embeddingScale === undefined ? embeddings : mul(embeddings, config.embeddingScale);
      if (table) x = table.apply(params.positions!, x, { positions });
      if (kind === "sinusoidal")
        x = add(x, sinusoidalPositions(positions, [B, T, C], config.sinusoids ?? {}, x.device));
      if (config.embeddingNorm) x = layerNorm.apply(params.embeddingNorm!, x);
      x = recordTensor(trace, "embeddings", x);
      const positionBiases = params.relativeBias?.map(({ weight }): ScoreMod =>
        t5Bias(weight, { bidirectional: !isDecoder, maxDistance: relativeBias!.maxDistance }),
      );
      params.layers.forEach((layerParams, i) => {
        x = layer.apply(layerParams, x, {
          layer: i,
          positions,
          ...(cache && { cache }),
          ...(mask && { mask }),
          ...(positionBiases && { bias: positionBiases[i % positionBiases.length]! }),
          ...(source && { memory: source.keyValues[i]! }),
          ...(source?.mask && { memoryMask: source.mask }),
          ...(trace && { trace: traceAt(trace, `layers.${i}`) }),
        });
      });
      return placement === "pre" ? layerNorm.apply(params.norm!, x) : x;
    },
    keyValues: (params, rows) =>
      params.layers.map(({ crossAttention }) => cross!.keyValues(crossAttention!, rows)),
  };
}

/** Names of the configuration fields of a layer stack. */
export const layerStackNames = /* @__PURE__ */ Object.keys({
  embedDim: 0,
  hiddenDim: 0,
  numLayers: 0,
  numHeads: 0,
  headDim: 0,
  contextLength: 0,
  norm: 0,
  normEps: 0,
  placement: 0,
  embeddingNorm: 0,
  embeddingScale: 0,
  activation: 0,
  gated: 0,
  bias: 0,
  attentionScale: 0,
  positions: 0,
  sinusoids: 0,
  rope: 0,
  relativeBias: 0,
} satisfies Record<keyof LayerStackConfig, 0>) as (keyof LayerStackConfig)[];

function checkLayerStack(check: Checks, config: LayerStackConfig): void {
  const { embedDim, hiddenDim, numHeads, numLayers, contextLength, headDim } = config;
  check.whole({ embedDim, hiddenDim, numHeads, contextLength }, { min: 1 });
  check.whole({ numLayers }, { min: 0 });
  if (headDim !== undefined) check.whole({ headDim }, { min: 1 });
  const { normEps = 1e-5, placement = "post", positions = "learned" } = config;
  const { embeddingNorm = false, gated = false, bias = true } = config;
  check.finite({ normEps }, { min: 0, fix: "take what the model was trained with, about 1e-5." });
  check.oneOf({ placement }, ["post", "pre"]);
  check.oneOf({ positions }, ["learned", "sinusoidal", "rotary", "relative", "none"]);
  check.type({ embeddingNorm, gated, bias }, "boolean");
  if (config.activation !== undefined) activationFunction(check.fn, config.activation);
  for (const name of ["embeddingScale", "attentionScale"] as const)
    if (config[name] !== undefined)
      check.finite({ [name]: config[name] }, { above: 0, fix: "leave it out for the default." });
  const { first = 0, inclusive = false } = check.options(
    config.sinusoids,
    ["first", "inclusive"],
    "config.sinusoids",
  );
  check.whole({ "sinusoids.first": first }, { min: 0 });
  check.type({ "sinusoids.inclusive": inclusive }, "boolean");
  check.options(config.rope, ["base", "dim", "layout"], "config.rope");
  if (positions === "relative") checkRelativeBias(check, config.relativeBias);
  else if (config.relativeBias !== undefined) {
    check.refuse({
      argument: "relativeBias",
      received: config.relativeBias,
      expected: 'nothing, as positions are not "relative"',
      fix: 'leave it out, or give `positions: "relative"`.',
    });
  }
}

function checkRelativeBias(check: Checks, given: LayerStackConfig["relativeBias"]): void {
  const names = ["numBuckets", "maxDistance", "perLayer"] as const;
  const { numBuckets, maxDistance, perLayer = false } = check.options(given, names, "config.relativeBias");
  check.whole({ "relativeBias.numBuckets": numBuckets }, { min: 4 });
  check.whole({ "relativeBias.maxDistance": maxDistance }, { min: 1, unit: "tokens" });
  check.type({ "relativeBias.perLayer": perLayer }, "boolean");
}
