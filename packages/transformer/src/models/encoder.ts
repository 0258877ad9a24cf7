import { checks, sameShape, ShapeError, type Checks } from "@qkv/core";
import {
  alibi,
  causal,
  learnedPositions,
  multiHead,
  slidingWindow,
  t5Bias,
  type ScoreMod,
} from "@qkv/attention";
import type { Mask } from "@qkv/attention-contract";
import {
  add,
  cast,
  checkTensor,
  div,
  embedding,
  expandDims,
  linear,
  mul,
  notEqual,
  ones,
  randn,
  splitSeed,
  sum,
  zeros,
  type Device,
  type Tensor,
} from "@qkv/tensor";
import type { LinearParams } from "@qkv/attention";
import { activationFunction, type Activation } from "../layers/activation.js";
import {
  disentangledAttention,
  disentangledScale,
  withDistances,
  type Disentangled,
  type DisentangledParams,
} from "../layers/disentangled-attention.js";
import { feedForward, type FeedForwardParams } from "../layers/feed-forward.js";
import { checkDropout, callDropout, type DropoutRates } from "./model-dropout.js";
import { norm, type Norm, type NormParams } from "../layers/norm.js";
import { checkTrace, recordTensor, traceAt, type ModelTrace } from "../layers/trace.js";
import {
  transformerLayer,
  type TransformerLayer,
  type TransformerLayerParams,
} from "../layers/transformer-layer.js";
import { checkIds, type TokenIds } from "./check-ids.js";
import { modelSeeds } from "./model-seeds.js";
import { ropeFromConfig } from "./rope-from-config.js";
import { checkTaskHead, initTaskHead, type TaskHeadConfig, type TaskHeadParams } from "./task-head.js";
import { checkLayerCount, checkParams } from "../layers/check-params.js";

/** Configuration of an encoder. The defaults are BERT's, so related models need only a few fields. */
export type EncoderConfig = {
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
  /** The longest sequence. Unit: tokens. */
  contextLength: number;
  /** Number of token types (segments), such as first and second sentence; 0 for none. */
  numTypes: number;
  /** Epsilon of norms, added to the variance. */
  normEps: number;
  /** Default `gelu`. */
  activation?: Activation;

  /**
   * E, the width of factorized embeddings, which a projection maps to C (ALBERT, ELECTRA).
   * Default: C, without a projection.
   */
  embeddingRank?: number;
  /**
   * Kind of positions. `alibi` is symmetric. Default `learned`; `none` with `disentangled`,
   * whose scores depend on relative positions.
   */
  positions?: "learned" | "rotary" | "alibi" | "none";
  /** Default 10000. */
  ropeBase?: number;
  /** Rotary base of sliding-window layers. Default: as in the other layers. */
  slidingRopeBase?: number;
  /** Relative position bias with buckets, shared by all layers (MPNet, T5). Default: none. */
  relativeBias?: {
    numBuckets: number;
    /** Distance from which on all keys share the last bucket. Unit: tokens. */
    maxDistance: number;
  };
  /** Disentangled attention (DeBERTa). Default: none. */
  disentangled?: Disentangled;
  /**
   * Token dropout (ESM): embeddings of mask tokens are 0, and the others are scaled by 0.88 / (1 − fraction of mask tokens), as in
   * training. Default: none.
   */
  tokenDropout?: { maskId: number; padId: number };
  /** Placement of the norms. With `pre`, there is a final norm. Default `post`. */
  placement?: "post" | "pre";
  /** False: the first layer has no norm before attention (ModernBERT). Default true. */
  firstLayerNorm?: boolean;
  /** False: there is no norm after the embeddings (CLIP, SigLIP). Default true. */
  embeddingNorm?: boolean;
  /** Causal attention (CLIP). Default false. */
  causal?: boolean;
  /** Gated feed-forward layers (GeGLU). Default false. */
  gated?: boolean;
  /** Biases of projections and norms in initial params; loaded params have the biases that are stored. Default true. */
  bias?: boolean;
  /** Attention of each layer: full, or a window of `window` tokens. Default: all `full`. */
  layerTypes?: readonly ("full" | "sliding")[];
  /** Number of keys that a query of a sliding-window layer sees: itself, and half of the others on each side. Unit: tokens; odd. */
  window?: number;
  /**
   * Groups of adjacent layers that share their weights (ALBERT). A divisor of `numLayers`. Default: each layer has its own.
   */
  layerGroups?: number;
  /** A task head, which {@link taskLogits} applies. Default: none. */
  head?: TaskHeadConfig;
  /** Dropout rates, for calls with `dropoutSeed`. Exports omit them. Default: none. */
  dropout?: DropoutRates;
};

/** Params of the head for masked language modeling. */
export type MaskedTokenHeadParams = {
  /** `[E, C]` */
  dense: LinearParams;
  norm: NormParams;
  /** `[V]`. The matrix is the embedding matrix. */
  bias: Tensor;
};

/** Params of an encoder. */
export type EncoderParams = {
  /** `[V, E]`; E is C unless there is an `embeddingRank`. */
  embedding: { weight: Tensor };
  /** `[contextLength, E]`, for learned positions. */
  positions: { weight: Tensor };
  /** `[numTypes, E]` */
  types?: { weight: Tensor };
  /** Absent without `embeddingNorm`. */
  embeddingNorm: NormParams;
  /** `[C, E]`, with `embeddingRank`. */
  embeddingProjection?: LinearParams;
  /** `[numBuckets, H]`, with `relativeBias`. */
  relativeBias?: { weight: Tensor };
  /** `[2 R, C]`, with `disentangled`. */
  distances?: { weight: Tensor };
  /** `[C]`, with the `norm` of `disentangled`. */
  distanceNorm?: NormParams;
  /**
   * One for each layer, or with `layerGroups` for each group. Without `firstLayerNorm`, that of the first has no
   * `attentionNorm`.
   */
  layers: TransformerLayerParams<FeedForwardParams, DisentangledParams>[];
  /** With the placement `pre`: the norm after the last layer. */
  finalNorm?: NormParams;
  /** Params of the task head, with `head`. */
  head?: TaskHeadParams;
  /** Only if the checkpoint has one. */
  maskedTokenHead?: MaskedTokenHeadParams;
};

export type EncoderOptions = {
  /** Type (segment) of each token, `[B, T]`. Default: 0. */
  types?: TokenIds;
  /** Masks tokens: `padding(lengths)`. Default: none. */
  mask?: Mask;
  /** Applies the dropout of the configuration: in training, another seed each step. Default: nothing is dropped. */
  dropoutSeed?: number;
  /** Receives traced tensors, named `embeddings`, `layers.0.output`. Default: nothing is traced. */
  trace?: ModelTrace;
};

/** An encoder: created from its configuration; the params are passed to each call. */
export type Encoder = {
  readonly config: EncoderConfig;
  /** Random weights. */
  init(seed: number): EncoderParams;
  /** Token ids `[B, T]` to rows `[B, T, C]`, one for each token. */
  apply(params: EncoderParams, ids: TokenIds, options?: EncoderOptions): Tensor;
  /** Rows `[B, T, C]` to logits `[B, T, V]` of masked tokens. */
  maskedTokenLogits(params: EncoderParams, rows: Tensor): Tensor;
};

/**
 * A bidirectional encoder. By default, as in BERT, it is post-norm with learned positions.
 *
 * @param kernels - `linear`: the function that multiplies by the matrices of layers, of factorized embeddings and of the masked-token head. Default: `linear` of `@qkv/tensor`; `anyLinear` takes quantized weights too.
 *
 * @see "BERT: Pre-training of Deep Bidirectional Transformers" (2018), arXiv:1810.04805
 *
 * @example
 * ```ts
 * import { encoder } from "@qkv/transformer";
 *
 * const bert = encoder({
 *   vocabSize: 11, embedDim: 8, hiddenDim: 32, numLayers: 2, numHeads: 2, contextLength: 16, numTypes: 2, normEps: 1e-12,
 * });
 * const params = bert.init(1);
 * const rows = bert.apply(params, [3, 1, 4]);
 * rows.shape; // => [1, 3, 8]
 * bert.maskedTokenLogits(params, rows).shape; // => [1, 3, 11]
 * ```
 */
export function encoder(config: EncoderConfig, kernels?: { linear?: typeof linear }): Encoder {
  checkConfig(config);
  const { linear: map = linear } = check.options(kernels, ["linear"], "kernels");
  const { vocabSize: V, embedDim: C, numLayers, contextLength, numTypes, normEps: eps, bias = true } = config;
  const E = config.embeddingRank ?? C;
  const activation = config.activation ?? "gelu";
  const layerNorm = norm({ kind: "layer", embedDim: C, eps });
  const narrowNorm = norm({ kind: "layer", embedDim: E, eps });
  const table = isLearned(config) && learnedPositions({ length: contextLength, embedDim: E });
  const layers = encoderLayers(config, layerNorm, map);
  const perGroup = numLayers / (config.layerGroups ?? numLayers);
  /** The relative position embeddings after their norm, `[2 R, C]`; undefined without them. */
  const distanceTable = ({ distances, distanceNorm }: EncoderParams): Tensor | undefined =>
    distances &&
    (config.disentangled?.norm ? layerNorm.apply(distanceNorm!, distances.weight) : distances.weight);
  const requiredParams = [
    ...["embedding.weight", "layers"],
    ...(config.embeddingNorm === false ? [] : ["embeddingNorm.weight"]),
    ...(table ? ["positions.weight"] : []),
    ...(config.embeddingRank === undefined ? [] : ["embeddingProjection.weight"]),
    ...(config.relativeBias ? ["relativeBias.weight"] : []),
    ...(config.disentangled ? ["distances.weight"] : []),
    ...(config.disentangled?.norm ? ["distanceNorm.weight"] : []),
    ...(config.placement === "pre" ? ["finalNorm.weight"] : []),
  ];
  return {
    config,
    init(seed) {
      const partNames = ["embedding", "positions", "types", "dense", "map", "relativeBias", "head"] as const;
      const [seeds, layerSeeds] = modelSeeds(seed, partNames, config.layerGroups ?? numLayers);
      const draw = (seed: number, shape: number[], deviation: number) =>
        mul(randn(shape, { seed }), deviation);
      const withBias = <T extends object>(params: T, size: number) => ({
        ...params,
        ...(bias && { bias: zeros([size]) }),
      });
      const normParams = (size: number) => withBias({ weight: ones([size]) }, size);
      const params = {
        embedding: { weight: draw(seeds.embedding, [V, E], 0.02) },
        ...(table && { positions: table.init(seeds.positions) }),
        ...(numTypes > 0 && { types: { weight: draw(seeds.types, [numTypes, E], 0.02) } }),
        ...(config.embeddingNorm !== false && { embeddingNorm: normParams(E) }),
        ...(config.embeddingRank !== undefined && {
          embeddingProjection: withBias({ weight: draw(seeds.map, [C, E], 1 / Math.sqrt(E)) }, C),
        }),
        ...(config.relativeBias && {
          relativeBias: {
            weight: draw(seeds.relativeBias, [config.relativeBias.numBuckets, config.numHeads], 0.02),
          },
        }),
        ...(config.disentangled && {
          distances: {
            weight: draw(
              splitSeed(seeds.relativeBias, 2)[1]!,
              [2 * config.disentangled.numDistances, C],
              0.02,
            ),
          },
          ...(config.disentangled.norm && { distanceNorm: normParams(C) }),
        }),
        layers: layerSeeds.map((seed, i) => {
          const layerParams = layers[i * perGroup]!.init(seed);
          const norms = bias ? {} : { attentionNorm: normParams(C), feedForwardNorm: normParams(C) };
          // The keys are in the same order as in other layers, because files are written in this order.
          const withNorms = { ...layerParams, ...norms };
          if (i > 0 || config.firstLayerNorm !== false) return withNorms;
          const { attentionNorm: _, ...others } = withNorms;
          return others as typeof layerParams;
        }),
        ...(config.placement === "pre" && { finalNorm: normParams(C) }),
        maskedTokenHead: {
          dense: { weight: draw(seeds.dense, [E, C], 1 / Math.sqrt(C)), bias: zeros([E]) },
          norm: { weight: ones([E]), bias: zeros([E]) },
          bias: zeros([V]),
        },
        ...(config.head && { head: initTaskHead(config.head, C, seeds.head) }),
      };
      return params as EncoderParams;
    },
    apply(params, ids, options) {
      const call = onApply.options(options, ["types", "mask", "dropoutSeed", "trace"]);
      const { types, mask, dropoutSeed, trace } = call;
      if (dropoutSeed !== undefined) onApply.whole({ dropoutSeed }, { min: -(2 ** 32), max: 2 ** 32 });
      checkParams(onApply, params, requiredParams);
      checkLayerCount(onApply, params, config.layerGroups ?? numLayers);
      checkTrace(onApply, trace, { recurrent: new Array<boolean>(numLayers).fill(false) });
      const { device } = params.embedding.weight;
      const tokens = checkIds(onApply, ids, { device, vocabSize: V });
      const typeIds =
        types !== undefined && params.types
          ? checkIds(onApply, types, { device, vocabSize: numTypes }, "types")
          : undefined;
      if (typeIds) checkTypes(typeIds, tokens);
      return device.scope(() => {
        let x = embedding(params.embedding.weight, tokens);
        if (config.tokenDropout) x = withoutMasks(x, tokens, config.tokenDropout);
        if (table) x = table.apply(params.positions, x);
        if (params.types) x = add(x, embedding(params.types.weight, typeIds ?? zeroTypes(x, device)));
        if (config.embeddingNorm !== false) x = narrowNorm.apply(params.embeddingNorm, x);
        const drops = callDropout(config.dropout, dropoutSeed, numLayers);
        x = drops.embeddings(x);
        const { embeddingProjection, relativeBias } = params;
        if (embeddingProjection) x = map(x, embeddingProjection.weight, embeddingProjection.bias);
        x = recordTensor(trace, "embeddings", x);
        const bias = relativeBias && bidirectionalBias(config, relativeBias.weight);
        const distances = distanceTable(params);
        layers.forEach((layer, i) => {
          if (drops.skips(i)) return;
          const shared = params.layers[Math.floor(i / perGroup)]!;
          const layerParams = distances
            ? { ...shared, attention: withDistances(shared.attention, distances) }
            : shared;
          x = layer.apply(layerParams, x, {
            ...(mask && { mask }),
            ...(bias && { bias }),
            ...drops.ofLayer(i),
            ...(trace && { trace: traceAt(trace, `layers.${i}`) }),
          });
        });
        return config.placement === "pre" ? layerNorm.apply(params.finalNorm!, x) : x;
      });
    },
    maskedTokenLogits(params, rows) {
      checkParams(onLogits, params, ["embedding.weight"]);
      checkTensor("maskedTokenLogits", "rows", rows);
      const {
        embedding: { weight },
        maskedTokenHead: head,
      } = params;
      if (!head) refuseHead();
      const activated = activationFunction(
        "encoder",
        activation,
      )(map(rows, head.dense.weight, head.dense.bias));
      return linear(narrowNorm.apply(head.norm, activated), weight, head.bias);
    },
  };
}

/** Refuses types whose shape differs from that of the ids. */
function checkTypes({ shape }: Tensor, tokens: Tensor): void {
  if (sameShape(shape, tokens.shape)) return;
  onApply.refuse(
    {
      argument: "types",
      received: shape,
      expected: `[${tokens.shape.join(", ")}], one for each token`,
      fix: "give the types of the same texts.",
    },
    ShapeError,
  );
}

const isLearned = ({ positions = "learned" }: EncoderConfig): boolean => positions === "learned";

/** Token dropout: sets embeddings `[B, T, C]` of mask tokens to 0, and scales the others to the mask rate of training. */
function withoutMasks(
  x: Tensor,
  ids: Tensor,
  { maskId, padId }: NonNullable<EncoderConfig["tokenDropout"]>,
): Tensor {
  const isUnmasked = cast(notEqual(ids, maskId), x.dtype); // [B, T]
  const isToken = cast(notEqual(ids, padId), x.dtype);
  // Padding is not counted.
  const unmaskedFraction = div(
    sum(mul(isUnmasked, isToken), { axis: 1, keepDims: true }),
    sum(isToken, { axis: 1, keepDims: true }),
  );
  return mul(x, expandDims(div(mul(isUnmasked, unmaskedInTraining), unmaskedFraction), 2));
}

/** Fraction of tokens that are not masked in training, where 80 % of the 15 % target tokens are masked. */
const unmaskedInTraining = 1 - 0.15 * 0.8;

type EncoderLayer = Pick<TransformerLayer<FeedForwardParams, DisentangledParams>, "init" | "apply">;

/** Creates the layers. Layers with equal attention share one object, and with it the plans of their mask. */
function encoderLayers(config: EncoderConfig, layerNorm: Norm, map: typeof linear): readonly EncoderLayer[] {
  const { embedDim: C, numLayers, numHeads, layerTypes, bias = true, disentangled } = config;
  const createLayer = (
    kind: "full" | "sliding",
    layerNorm: Norm,
  ): TransformerLayer<FeedForwardParams, DisentangledParams> => {
    const side = (config.window! - 1) / 2;
    const base = (kind === "sliding" ? config.slidingRopeBase : undefined) ?? config.ropeBase ?? 10000;
    const attention = multiHead({
      embedDim: C,
      numHeads,
      bias,
      ...(disentangled && { scale: disentangledScale(disentangled, C / numHeads) }),
      ...(config.dropout?.attention && { dropout: config.dropout.attention }),
      linear: map,
      ...(config.causal && { mask: causal() }),
      ...(kind === "sliding" && { mask: slidingWindow({ before: side, after: side }) }),
      ...(config.positions === "alibi" && { scoreMod: alibi(numHeads) }),
      ...(config.positions === "rotary" && {
        rope: ropeFromConfig({ headDim: C / numHeads, base, layout: "half" }, undefined),
      }),
    });
    return transformerLayer<FeedForwardParams, DisentangledParams>({
      attention: disentangled ? disentangledAttention(disentangled, { attention, map }) : attention,
      feedForward: feedForward({
        embedDim: C,
        hiddenDim: config.hiddenDim,
        activation: config.activation ?? "gelu",
        gated: config.gated ?? false,
        bias,
        linear: map,
      }),
      norm: layerNorm,
      placement: config.placement ?? "post",
      dropout: config.dropout?.residual ?? 0,
    });
  };
  const byKind = {
    full: createLayer("full", layerNorm),
    sliding: layerTypes && createLayer("sliding", layerNorm),
  };
  return Array.from({ length: numLayers }, (_, i): EncoderLayer => {
    const kind = layerTypes?.[i] ?? "full";
    const layer = byKind[kind]!;
    if (i > 0 || config.firstLayerNorm !== false) return layer;
    const first = createLayer(kind, skippableNorm(layerNorm));
    return {
      init: layer.init,
      apply: (params, x, options) => first.apply({ ...params, attentionNorm: absentNorm }, x, options),
    };
  });
}

/** Marker params for an absent norm. */
const absentNorm = /* @__PURE__ */ Object.freeze({}) as NormParams;

/** A norm that returns rows unchanged if its params are {@link absentNorm}. */
const skippableNorm = ({ init, apply }: Norm): Norm => ({
  init,
  apply: (params, x) => (params === absentNorm ? x : apply(params, x)),
});

const bidirectionalBias = ({ relativeBias }: EncoderConfig, weight: Tensor): ScoreMod =>
  t5Bias(weight, { bidirectional: true, maxDistance: relativeBias!.maxDistance });

/** Type 0 for each token. */
function zeroTypes(x: Tensor, device: Device): Tensor {
  return zeros([x.shape[0]!, x.shape[1]!], { dtype: "int32", device });
}

const check: Checks = /* @__PURE__ */ checks("encoder");
const onApply: Checks = /* @__PURE__ */ checks("encoder.apply");
const onLogits: Checks = /* @__PURE__ */ checks("maskedTokenLogits");

const names = /* @__PURE__ */ Object.keys({
  vocabSize: 0,
  embedDim: 0,
  hiddenDim: 0,
  numLayers: 0,
  numHeads: 0,
  contextLength: 0,
  numTypes: 0,
  normEps: 0,
  activation: 0,
  embeddingRank: 0,
  positions: 0,
  ropeBase: 0,
  slidingRopeBase: 0,
  relativeBias: 0,
  disentangled: 0,
  tokenDropout: 0,
  placement: 0,
  firstLayerNorm: 0,
  embeddingNorm: 0,
  causal: 0,
  gated: 0,
  bias: 0,
  layerTypes: 0,
  window: 0,
  layerGroups: 0,
  head: 0,
  dropout: 0,
} satisfies Record<keyof EncoderConfig, 0>) as (keyof EncoderConfig)[];

function checkConfig(config: EncoderConfig): void {
  const { vocabSize, embedDim, hiddenDim, numLayers, numHeads, contextLength, numTypes, normEps } =
    check.options(config, names, "config");
  check.whole({ vocabSize, embedDim, hiddenDim, numHeads, contextLength }, { min: 1 });
  check.whole({ numLayers, numTypes }, { min: 0 });
  check.finite({ normEps }, { min: 0, fix: "take what the model was trained with, about 1e-12." });
  const {
    positions = "learned",
    placement = "post",
    firstLayerNorm = true,
    embeddingNorm = true,
    causal: isCausal = false,
    gated = false,
    bias = true,
  } = config;
  check.oneOf({ positions }, ["learned", "rotary", "alibi", "none"]);
  check.oneOf({ placement }, ["post", "pre"]);
  check.type({ firstLayerNorm, embeddingNorm, causal: isCausal, gated, bias }, "boolean");
  const { embeddingRank, ropeBase, slidingRopeBase } = config;
  if (embeddingRank !== undefined) check.whole({ embeddingRank }, { min: 1 });
  for (const base of [{ ropeBase }, { slidingRopeBase }])
    if (Object.values(base)[0] !== undefined)
      check.finite(base as Record<string, number>, { above: 0, fix: "leave it out for the default." });
  if (config.relativeBias !== undefined) {
    const { numBuckets, maxDistance } = check.options(
      config.relativeBias,
      ["numBuckets", "maxDistance"],
      "config.relativeBias",
    );
    check.whole(
      { "relativeBias.numBuckets": numBuckets, "relativeBias.maxDistance": maxDistance },
      { min: 1 },
    );
  }
  if (config.disentangled !== undefined) checkDisentangled(config.disentangled);
  if (config.tokenDropout !== undefined) {
    const { maskId, padId } = check.options(config.tokenDropout, ["maskId", "padId"], "config.tokenDropout");
    check.whole(
      { "tokenDropout.maskId": maskId, "tokenDropout.padId": padId },
      { min: 0, max: vocabSize - 1 },
    );
  }
  checkLayers(config);
  checkDropout(check, config.dropout);
  const windowed = () => !(isCausal && config.layerTypes?.includes("sliding"));
  check.each({ causal: isCausal }, windowed, "false, as layers slide to both sides", "leave it out.");
  if (config.head !== undefined) checkTaskHead(check, config.head);
}

/** Refuses invalid options of disentangled attention. */
function checkDisentangled(given: Disentangled): void {
  const names = ["numDistances", "maxDistance", "terms", "sharedProjections", "norm"] as const;
  const {
    numDistances,
    maxDistance,
    terms,
    sharedProjections = false,
    norm = false,
  } = check.options(given, names, "config.disentangled");
  check.whole({ "disentangled.numDistances": numDistances }, { min: maxDistance === undefined ? 1 : 2 });
  if (maxDistance !== undefined)
    check.whole({ "disentangled.maxDistance": maxDistance }, { min: numDistances + 1, unit: "tokens" });
  const isTerm = (term: unknown) => term === "c2p" || term === "p2c";
  check.list({ "disentangled.terms": terms }, '"c2p" and "p2c", as far as there are any', isTerm);
  check.type({ "disentangled.sharedProjections": sharedProjections, "disentangled.norm": norm }, "boolean");
}

/** Refuses sliding-window layers without `window`, and a number of layers that is not divisible by `layerGroups`. */
function checkLayers({
  layerTypes,
  window,
  layerGroups,
  numLayers,
  placement,
  firstLayerNorm,
}: EncoderConfig): void {
  const isType = (type: unknown) => type === "full" || type === "sliding";
  if (layerTypes !== undefined) {
    const isList = () => layerTypes.length === numLayers && layerTypes.every(isType);
    const expected = `"full" or "sliding" for each of the ${numLayers} layers`;
    check.each({ layerTypes }, isList, expected, "name every layer.");
  }
  if (window !== undefined || layerTypes?.includes("sliding")) {
    const fix = "count the keys on both sides, as many on each, and the token itself.";
    const isOdd = () => Number.isInteger(window) && window! > 0 && window! % 2 === 1;
    check.each({ window }, isOdd, "an odd number of tokens", fix);
  }
  if (layerGroups !== undefined) {
    const divides = () => Number.isInteger(layerGroups) && layerGroups > 0 && numLayers % layerGroups === 0;
    const fix = "leave it out, so that each layer has weights of its own.";
    check.each({ layerGroups }, divides, `a divisor of numLayers = ${numLayers}`, fix);
  }
  if (firstLayerNorm === false && placement !== "pre") {
    check.refuse({
      argument: "firstLayerNorm",
      received: false,
      expected: "true, as norms follow each part",
      fix: 'leave it out, or write `placement: "pre"`.',
    });
  }
}

function refuseHead(): never {
  onLogits.refuse({
    argument: "params.maskedTokenHead",
    received: undefined,
    expected: "the weights of a head for masked tokens",
    fix: "load a checkpoint that was saved with its head (BertForMaskedLM); sentence embeddings need none.",
  });
}
