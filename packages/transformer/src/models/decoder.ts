import { checks, isList, type Checks } from "@qkv/core";
import {
  alibi,
  and,
  causal,
  chunked,
  differential,
  documents as documentMask,
  groupedQuery,
  lambdaInitOfLayer,
  latent,
  learnedPositions,
  learnedSinks,
  llama4Temperature,
  outputGate,
  padding as paddingMask,
  qkNorm,
  scaleByPosition,
  slidingWindow,
  type AttentionLayer,
  type DocumentIds,
  type LatentLayer,
  type LinearParams,
  type Positions,
  type QueryScale,
} from "@qkv/attention";
import { type Cache, type Mask, positionsAfter } from "@qkv/attention-contract";
import {
  add,
  div,
  embedding,
  linear,
  mul,
  ones,
  randn,
  slice,
  splitSeed,
  tanh,
  type Tensor,
} from "@qkv/tensor";
import { altUp, type AltUpLayerParams, type AltUpParams } from "../layers/alt-up.js";
import { besideAttention } from "../layers/beside-attention.js";
import { feedForward, type FeedForwardParams } from "../layers/feed-forward.js";
import { laurel } from "../layers/laurel.js";
import { chunksByPosition } from "./chunks-by-position.js";
import { checkDropout, callDropout } from "./model-dropout.js";
import {
  mixtureOfExperts,
  type MixtureOfExperts,
  type MixtureOfExpertsParams,
} from "../layers/mixture-of-experts.js";
import { norm, type NormParams } from "../layers/norm.js";
import {
  perLayerEmbedding,
  type PerLayerEmbeddingParams,
  type PerLayerInputParams,
} from "../layers/per-layer-embedding.js";
import { checkTrace, recordTensor, traceAt, type ModelTrace } from "../layers/trace.js";
import {
  transformerLayer,
  type SequenceLayer,
  type TokenLayer,
  type TransformerLayer,
  type TransformerLayerParams,
} from "../layers/transformer-layer.js";
import { checkIds, type TokenIds } from "./check-ids.js";
import { modelSeeds } from "./model-seeds.js";
import { checkLayerCount, checkParams } from "../layers/check-params.js";
import { checkTaskHead, initTaskHead, type TaskHeadParams } from "./task-head.js";
import type { PatchCrossAttentionParams } from "../layers/patch-cross-attention.js";
import type {
  DecoderConfig,
  ExpertsConfig,
  HybridLayer,
  LatentHeads,
  LayerType,
  StackedLayer,
} from "./decoder-config.js";
import { cachedPartsPerLayer, holdsState, holdsStates, isHybrid, isRecurrent } from "./is-recurrent.js";
import { checkCacheLayers } from "./check-cache-layers.js";
import { keyValuesOfCall } from "./key-values-of-call.js";
import { layerConfig, layerFields } from "./layer-config.js";
import { rollbackOnError } from "./rollback-on-error.js";
import { ropeFromConfig } from "./rope-from-config.js";

/**
 * Params of a layer. `attention` of a custom layer has the params of its `init`. The attention of a layer
 * that reuses keys and values has no `key`, `value` and `keyNorm`.
 */
export type DecoderLayerParams = TransformerLayerParams<FeedForwardParams | MixtureOfExpertsParams> & {
  /** With `altUp`. */
  altUp?: AltUpLayerParams;
  /** With `perLayerEmbedding`. */
  perLayer?: PerLayerInputParams;
  /** `[1]`, with `layerScale`. */
  scale?: Tensor;
};

/** Params of a decoder. */
export type DecoderParams = {
  /** `[V, C]` */
  embedding: { weight: Tensor };
  /** `[C]`, if embeddings are normalized. */
  embeddingNorm?: NormParams;
  /** `[contextLength, C]`, if positions are learned. */
  positions?: { weight: Tensor };
  /** With `altUp`. */
  altUp?: AltUpParams;
  /** With `perLayerEmbedding`. */
  perLayer?: PerLayerEmbeddingParams;
  layers: DecoderLayerParams[];
  /** `[C]` */
  norm: NormParams;
  /** Output projection `[V, C]`, and a bias `[V]` if the model has one. Default: the embedding matrix (tied weights). */
  output?: { weight: Tensor; bias?: Tensor };
  /** Only with `bytePatches` in the configuration. */
  bytePatches?: BytePatchesParams;
  /** Params of the task head, with `head`. */
  head?: TaskHeadParams;
};

/** Params of byte patches. `k` is the number of rows per patch, G the width of the global layers. */
export type BytePatchesParams = {
  /** The entropy model. */
  patcher: DecoderParams;
  /** `[functions · orders · buckets, C]` */
  hashes: { weight: Tensor };
  /** `projection`: from the max-pooled bytes of a patch to its k query rows, `[k · C, C]`. */
  encoder: LayersParams & { projection: LinearParams; crossAttention: PatchCrossAttentionParams };
  /** `projection`: from the rows of a patch to the input of the global layers, `[G, k · C]`. Absent if G = k · C. */
  global: LayersParams & { projection?: LinearParams };
  /** `projection`: from the output of the global layers to k context rows, `[k · C, G]`. One cross-attention per layer. */
  decoder: { projection: LinearParams; crossAttention: PatchCrossAttentionParams[] };
};

type LayersParams = Pick<DecoderParams, "layers">;

export type DecoderOptions = {
  /**
   * Keys and values of earlier tokens; those of this call are appended. If the call throws, appended tokens are removed
   * by `crop`; a cache that cannot crop is `reset`. Default: no cache.
   */
  cache?: Cache;
  /** Positions of the tokens. Default: after those in the cache. */
  positions?: Positions;
  /** Additional mask besides the causal one, for models without recurrent states. Default: none. */
  mask?: Mask;
  /**
   * Document of each token, `[T]` or `[B][T]`, for a call without earlier tokens: documents do not attend to each
   * other, and states are reset. Default: one document.
   */
  documents?: DocumentIds;
  /**
   * Number of tokens of each batch without right padding. Padding does not affect tokens or states. A cache holds
   * keys and values of padding until it is cropped to these lengths. Default: no padding.
   */
  padding?: ArrayLike<number>;
  /**
   * Lengths of the patches, `[patches]` or `[B][patches]`, for a model with `bytePatches` and a call without earlier
   * tokens. The first is 1; the last patch is open, so that its bytes use the patch before it. Default: computed by the entropy model.
   */
  patchLengths?: ArrayLike<number> | readonly ArrayLike<number>[];
  /**
   * Applies the dropout of the configuration: in training, another seed each step, and without a cache. Default: nothing
   * is dropped.
   */
  dropoutSeed?: number;
  /** Number of last tokens to compute logits for. Default: all. */
  last?: number;
  /** `rows`: hidden states after the final norm, `[B, T, C]`, for embedding models. Default `logits`. */
  output?: "logits" | "rows";
  /** Receives traced tensors, named `layers.0.attention.weights`, `layers.0.output`. Default: nothing is traced. */
  trace?: ModelTrace;
};

/** Functions that a decoder uses for its computation. */
export type DecoderKernels = {
  /** Multiplies by weight matrices. Default: `linear` of @qkv/tensor; `anyLinear` takes weights of 8 and 4 bits too. */
  linear?: typeof linear;
};

/** A decoder: created from its configuration; the params are passed to each call. */
export type Decoder = {
  readonly config: DecoderConfig;
  /** Random weights. */
  init(seed: number): DecoderParams;
  /** Token ids `[B, T]` to logits `[B, T, V]`, or `[B, last, V]`. */
  apply(params: DecoderParams, ids: TokenIds, options?: DecoderOptions): Tensor;
  /**
   * Applies only layers to rows `[B, T, C]`, without embeddings, final norm and output projection: all layers, or a consecutive part
   * of them.
   */
  rows(layers: DecoderParams["layers"], rows: Tensor, options?: DecoderRowsOptions): Tensor;
  /**
   * Final norm and output projection: rows `[…, C]`, the output of a layer, to logits `[…, V]`. With `altUp`, rows are the mean of
   * the streams, not the active stream that is traced as the output of a layer.
   */
  logits(params: DecoderParams, rows: Tensor): Tensor;
};

/** Options for applying only layers. */
export type DecoderRowsOptions = Pick<DecoderOptions, "cache" | "positions" | "trace"> & {
  /** Index of the first layer to apply, for example the one after a traced `output`. Default 0. */
  first?: number;
};

/**
 * A decoder: layers of causal attention and feed-forward layers. The defaults are those of
 * Llama: an RMS norm before each sublayer, rotary positions, SwiGLU.
 *
 * @param kernels - `linear`: the function that multiplies by weight matrices. Default: `linear` of @qkv/tensor.
 * @throws {ArgumentError} If sizes are not divisible, or there are sliding-window layers without `window`.
 * @see "LLaMA" (2023), arXiv:2302.13971
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const llama = decoder(config);
 * llama.apply(llama.init(1), [3, 1, 4]).shape; // => [1, 3, 11]
 *
 * // A variant is a spread.
 * const gpt2 = decoder({ ...config, norm: "layer", activation: "geluTanh", gated: false, positions: "learned" });
 * gpt2.init(1).positions?.weight.shape; // => [32, 8]
 * ```
 */
export function decoder(config: DecoderConfig, kernels?: DecoderKernels): Decoder {
  checkConfig(config);
  const { linear: map = linear } = check.options(kernels, ["linear"], "kernels");
  const { vocabSize: V, embedDim: C, numLayers, normEps: eps, contextLength } = config;
  const kinds = checkLayerTypes(config);
  const layerNorm = norm({ kind: config.norm ?? "rms", embedDim: C, eps });
  const table =
    config.positions === "learned" ? learnedPositions({ length: contextLength, embedDim: C }) : undefined;
  // Layers with equal configuration share one object, and with it the plans of their mask; only params differ.
  const layers: { kind: LayerType; traits: LayerTraits; layer: ReturnType<typeof decoderLayer> }[] = [];
  const layerObjects = kinds.map((kind, i) => {
    const traits = layerTraits(config, i);
    const equal = layers.find((other) => other.kind === kind && areEqual(other.traits, traits));
    if (equal) return equal.layer;
    const layer = decoderLayer(layerConfig(config, i), kind, traits, kernels?.linear);
    layers.push({ kind, traits, layer });
    return layer;
  });
  const layerAt = (i: number) => layerObjects[i]!;
  const withoutChunks = new Map<number, ReturnType<typeof decoderLayer>>();
  /** A layer with its mask for tokens at the given positions. */
  const placedLayer = (i: number, shape: readonly [number, number], options: DecoderRowsOptions) => {
    const { positions, cache } = options;
    const mask =
      kinds[i] === "chunked" && positions
        ? chunksByPosition(onApply, config.chunkSize!, positions, shape, cache)
        : undefined;
    if (mask === undefined) return { layer: layerAt(i) };
    if (!withoutChunks.has(i))
      withoutChunks.set(
        i,
        decoderLayer(layerConfig(config, i), "full", layerTraits(config, i), kernels?.linear),
      );
    return { layer: withoutChunks.get(i)!, mask };
  };
  // Index of each layer in the cache: a hybrid layer fills two cache layers, a layer without attention none.
  const partsPerLayer = cachedPartsPerLayer({ ...config, layerTypes: kinds }).map(({ length }) => length);
  const firstPart = partsPerLayer.map((_, i) => partsPerLayer.slice(0, i).reduce((a, b) => a + b, 0));
  const streamOptions = {
    embedDim: C,
    norm: config.norm ?? "rms",
    eps,
    ...(kernels?.linear && { linear: map }),
  };
  const streamed = config.altUp && altUp({ ...config.altUp, ...streamOptions });
  const perLayer =
    config.perLayerEmbedding &&
    perLayerEmbedding({
      dim: config.perLayerEmbedding.dim,
      rows: { table: config.perLayerEmbedding.vocabSize ?? V, vocabulary: V },
      numLayers,
      activation: config.activation ?? "silu",
      ...streamOptions,
    });
  const finishes = streamed !== undefined || perLayer !== undefined || config.layerScale === true;
  const keyValueLayer = (i: number): number => config.sharedKeyValues?.[i] ?? i;
  const normed = (params: DecoderParams, rows: Tensor): Tensor => layerNorm.apply(params.norm, rows);
  const outputLogits = (params: DecoderParams, rows: Tensor): Tensor => {
    const { output = params.embedding }: Pick<DecoderParams, "output" | "embedding"> = params;
    const bias = params.output?.bias;
    const raw = map(normed(params, rows), output.weight, bias);
    const { logitScale = 1, logitSoftcap: cap } = config;
    const logits = logitScale === 1 ? raw : mul(raw, logitScale);
    return cap === undefined ? logits : mul(tanh(div(logits, cap)), cap);
  };
  const bytePatches = config.bytePatches?.bind(config, { decoder, linear: kernels?.linear });
  const throughLayers = (
    layers: DecoderParams["layers"],
    rows: Tensor,
    { positions, cache, trace, first = 0 }: DecoderRowsOptions = {},
  ): Tensor => {
    if (streamed || perLayer || finishes || config.sharedKeyValues) refuseRows();
    checkFirst(first, layers, kinds);
    const [firstLayer, call] = [{}, { ...(positions && { positions }), ...(cache && { cache }) }];
    const { device } = rows;
    return device.scope(() =>
      layers.reduce((x, layer, n) => {
        const i = first + n;
        const [B, T] = rows.shape as [number, number];
        const placed = placedLayer(i, [B, T], call);
        const valueResidual = hasValueResidual(kinds[i]!) && { firstLayer };
        const traced = trace && { trace: traceAt(trace, `layers.${i}`) };
        const apply = () =>
          placed.layer.apply(layer, x, {
            ...{ layer: firstPart[i]!, ...call, ...valueResidual, ...traced },
            ...(placed.mask && { mask: placed.mask }),
          });
        return device.scope(() => [apply(), firstLayer] as const)[0];
      }, rows),
    );
  };
  return {
    config,
    logits: outputLogits,
    rows: throughLayers,
    init(seed) {
      const partNames = ["embedding", "positions", "altUp", "perLayer", "bytePatches", "head"] as const;
      const [seeds, layerSeeds] = modelSeeds(seed, partNames, numLayers);
      return {
        embedding: { weight: mul(randn([V, C], { seed: seeds.embedding }), initialScale) },
        ...(config.embeddingNorm && { embeddingNorm: layerNorm.init() }),
        ...(table && { positions: table.init(seeds.positions) }),
        ...(streamed && { altUp: streamed.init(seeds.altUp) }),
        ...(perLayer && { perLayer: perLayer.init(seeds.perLayer) }),
        layers: layerSeeds.map((seed, i) => {
          const extraSeed = splitSeed(seed, 3)[2]!; // the other two are for attention and the feed-forward layer
          const extraSeeds = splitSeed(extraSeed, ["laurel", "perLayer", "altUp"], 4);
          const params = {
            ...layerAt(i).init(seed),
            ...(streamed && { altUp: streamed.initLayer(extraSeeds.altUp) }),
            ...(perLayer && { perLayer: perLayer.initLayer(extraSeeds.perLayer) }),
            ...(config.layerScale && { scale: ones([1]) }),
          };
          const kind = kinds[i]!;
          if (kind === "none" || (typeof kind === "object" && !isHybrid(kind))) return params;
          const attention = withoutBiases(params.attention, config);
          return { ...params, attention: keyValueLayer(i) === i ? attention : withoutKeyValues(attention) };
        }),
        norm: layerNorm.init(),
        ...(bytePatches && { bytePatches: bytePatches.init(seeds.bytePatches) as BytePatchesParams }),
        ...(config.head && { head: initTaskHead(config.head, C, seeds.head) }),
      };
    },
    apply(params, ids, given) {
      const { dropoutSeed, ...options } = onApply.options(given, callNames);
      const { cache, last, output: outputKind = "logits", trace } = options;
      checkParams(onApply, params, [
        ...requiredParts,
        ...(table ? ["positions.weight"] : []),
        ...(config.embeddingNorm ? ["embeddingNorm"] : []),
        ...(streamed ? ["altUp"] : []),
        ...(perLayer ? ["perLayer"] : []),
        ...(bytePatches ? ["bytePatches"] : []),
      ]);
      checkLayerCount(onApply, params, numLayers);
      checkBytePatches(config, options);
      checkTrace(onApply, trace, { recurrent: kinds.map(isRecurrent), afterLayers: ["finalInput"] });
      if (last !== undefined) onApply.whole({ last }, { min: 1, unit: "tokens" });
      onApply.oneOf({ output: outputKind }, ["logits", "rows"]);
      if (cache && config.bidirectional) {
        onApply.refuse({
          argument: "cache",
          received: "a cache",
          expected: "none, as the model is bidirectional: what it held would change with every later token",
          fix: "give the whole text at once; such a model embeds texts and generates none.",
        });
      }
      if (dropoutSeed !== undefined) checkDropoutSeed(dropoutSeed, cache);
      checkCacheLayers(onApply, cache, partsPerLayer);
      const kindOptions = optionsByKind(config, options);
      const { device } = params.embedding.weight;
      const tokens = checkIds(onApply, ids, { device, vocabSize: V });
      if (options.padding) checkPadding(options.padding, tokens.shape as [number, number]);
      const run = (): Tensor => {
        const positions = options.positions ?? positionsAfter(cache, tokens.shape[1]!);
        const firstLayer = {};
        const drops = callDropout(config.dropout, dropoutSeed, numLayers);
        let x = embedding(params.embedding.weight, tokens); // [B, T, C]
        if (config.embeddingScale !== undefined) x = mul(x, config.embeddingScale);
        if (config.embeddingNorm) x = layerNorm.apply(params.embeddingNorm!, x);
        if (table) x = table.apply(params.positions!, x, { positions });
        x = drops.embeddings(x);
        const bytes = bytePatches?.apply(params.bytePatches!, x, { ...options, tokens, positions });
        x = recordTensor(trace, "embeddings", bytes?.rows ?? x);
        const inputs = perLayer?.inputs(params.perLayer!, tokens, x);
        const callKeyValues = config.sharedKeyValues && keyValuesOfCall(cache);
        let streams = streamed?.expand(params.altUp!, x); // [B, T, N, C]
        const applyLayer = (layer: DecoderLayerParams, i: number) => {
          if (streamed && streams) {
            streams = streamed.predict(layer.altUp!, streams);
            x = streamed.activeOf(streams);
          }
          let output = x;
          const finish = (computed: Tensor): Tensor => {
            output = computed;
            if (streamed && streams) {
              streams = streamed.correct(layer.altUp!, streams, computed);
              output = streamed.activeOf(streams);
            }
            if (perLayer && inputs) {
              const gateInput = streamed ? streamed.scaled(layer.altUp!, output) : output;
              const added = perLayer.apply(layer.perLayer!, gateInput, inputs[i]!);
              if (streamed && streams) {
                streams = streamed.addToOthers(streams, added);
                output = streamed.activeOf(streams);
              } else output = add(output, added);
            }
            if (config.layerScale) output = mul(output, layer.scale!);
            return output;
          };
          const shared = callKeyValues && attends(kinds[i]!) ? callKeyValues : undefined;
          const placed = placedLayer(i, tokens.shape as [number, number], options);
          x = placed.layer.apply(layer, bytes?.beforeLayer(i, x) ?? x, {
            layer: firstPart[i]!,
            positions,
            ...(cache && { cache }),
            ...(shared && { cache: shared.cache }),
            ...(shared &&
              keyValueLayer(i) !== i && { sharedKeyValues: shared.of(firstPart[keyValueLayer(i)]!) }),
            ...(holdsState(kinds[i]!) && kindOptions.recurrent),
            ...(!isRecurrent(kinds[i]!) && kindOptions.attention),
            ...(placed.mask && { mask: allOf(kindOptions.attention.mask, placed.mask)! }),
            ...(hasValueResidual(kinds[i]!) && { firstLayer }),
            ...drops.ofLayer(i),
            ...(finishes && { finish }),
            ...(trace && { trace: traceAt(trace, `layers.${i}`) }),
          });
          // An intervention replaces the tensor before the other streams use it.
          if (streamed && streams && x !== output) streams = streamed.withActive(streams, x);
        };
        params.layers.forEach((layer, i) => {
          if (drops.skips(i)) return;
          // The returned tensors outlive the scope of the layer; others are freed at its end.
          device.scope(() => {
            applyLayer(layer, i);
            return [x, streams, firstLayer, callKeyValues?.all()];
          });
        });
        const rows = (y: Tensor) => (last === undefined ? y : lastRows(y, last));
        const merged = streamed && streams ? streamed.merge(params.altUp!, rows(streams)) : rows(x);
        const finalInput = recordTensor(trace, "finalInput", merged);
        return outputKind === "rows" ? normed(params, finalInput) : outputLogits(params, finalInput);
      };
      // Intermediate tensors belong to the scope; only the result outlives it.
      return rollbackOnError(cache, () => device.scope(run));
    },
  };
}

const check: Checks = /* @__PURE__ */ checks("decoder");
const onApply: Checks = /* @__PURE__ */ checks("decoder.apply");
const requiredParts = ["embedding.weight", "layers", "norm.weight"];
const callNames = [
  "cache",
  "positions",
  "mask",
  "documents",
  "padding",
  "patchLengths",
  "dropoutSeed",
  "last",
  "output",
  "trace",
] as const;

/** Refuses padding that is not one length per batch element, such as a mask of tokens. */
function checkPadding(padding: ArrayLike<number>, [B, T]: readonly [number, number]): void {
  const isLength = (length: unknown) =>
    Number.isInteger(length) && (length as number) >= 0 && (length as number) <= T;
  const isLengths = (list: unknown) => isList(list) && list.length === B && Array.from(list).every(isLength);
  const expected = `a list of ${B === 1 ? "one length" : `${B} lengths`}, each from 0 to ${T} tokens`;
  onApply.each({ padding }, isLengths, expected, "count the real tokens of each batch element.");
}

/** Refuses an invalid dropout seed, and dropout together with a cache. */
function checkDropoutSeed(dropoutSeed: number, cache: Cache | undefined): void {
  onApply.whole({ dropoutSeed }, { min: -(2 ** 32), max: 2 ** 32 });
  if (cache === undefined) return;
  onApply.refuse({
    argument: "dropoutSeed",
    received: dropoutSeed,
    expected: "none beside a cache, as generation drops nothing",
    fix: "give either `dropoutSeed` or `cache`, not both.",
  });
}

/** Refuses layer dropout in models whose layers depend on other layers. */
function checkLayerDrop(config: DecoderConfig): void {
  checkDropout(check, config.dropout);
  const { dropout, sharedKeyValues, altUp, layerTypes } = config;
  if (!dropout?.layer || !(sharedKeyValues || altUp || layerTypes?.some(hasValueResidual))) return;
  check.refuse({
    argument: "config.dropout.layer",
    received: dropout.layer,
    expected: "0, as layers read what others made besides rows",
    fix: "leave it out, and drop residuals.",
  });
}

/** Refuses an invalid layer index, and partial application in models with a value residual. */
function checkFirst(first: number, layers: readonly unknown[], kinds: readonly LayerType[]): void {
  if (first === 0) return;
  const on = checks("decoder.rows");
  on.whole(
    { first },
    { min: 0, max: Math.max(0, kinds.length - layers.length), fix: "count layers from 0." },
  );
  const fix = "begin with the first layer.";
  const expected = "0, as layers read values of the first one";
  on.each({ first }, () => !kinds.some(hasValueResidual), expected, fix);
}

/** Refuses partial application for layers that depend on more than their input rows. */
function refuseRows(): never {
  return checks("decoder.rows").refuse({
    argument: "config",
    received: "a model with streams, embeddings of each layer, or keys and values of other layers",
    expected: "layers that read rows alone",
    fix: "call `apply`, which has what they read besides.",
  });
}

/** Refuses options that byte patches do not support, and options of byte patches for other models. */
function checkBytePatches({ bytePatches }: DecoderConfig, options: DecoderOptions): void {
  if (!bytePatches) {
    if (options.patchLengths === undefined) return;
    onApply.refuse({
      argument: "patchLengths",
      received: options.patchLengths,
      expected: "nothing, as the model reads no byte patches",
      fix: "leave `patchLengths` out.",
    });
  }
  for (const argument of ["mask", "documents", "positions"] as const) {
    if (options[argument] === undefined) continue;
    onApply.refuse({
      argument,
      received: options[argument],
      expected: "nothing, as patches are found from all bytes before, in order",
      fix: "give each text its own call, or texts of several lengths with `padding` after them.",
    });
  }
}

/** Options about padding and documents, for layers with attention and for layers with a state. */
function optionsByKind(
  config: DecoderConfig,
  { mask, documents, padding, cache }: DecoderOptions,
): { attention: { mask?: Mask }; recurrent: Pick<DecoderOptions, "documents" | "padding"> } {
  if (mask !== undefined && holdsStates(config)) {
    onApply.refuse({
      argument: "mask",
      received: "a mask",
      expected:
        "none: models with recurrent layers do not support `mask`, since their state has already read every token",
      fix: "use `padding` or `documents`.",
    });
  }
  if (documents !== undefined && cache !== undefined && cache.length > 0) {
    onApply.refuse({
      argument: "documents",
      received: `documents beside a cache of ${cache.length} tokens`,
      expected: "none after the first call, as the documents of earlier tokens are not known",
      fix: "give all documents in one call, or each its own cache.",
    });
  }
  const combined = allOf(
    mask,
    documents && documentMask(documents as never),
    config.bidirectional && padding ? paddingMask(padding) : undefined,
  );
  return {
    attention: combined ? { mask: combined } : {},
    recurrent: { ...(documents && { documents }), ...(padding && { padding }) },
  };
}

/** The conjunction of those masks that there are. */
function allOf(...masks: readonly (Mask | undefined)[]): Mask | undefined {
  const present = masks.filter((mask): mask is Mask => mask !== undefined);
  return present.length > 1 ? and(...present) : present[0];
}

/** Names of all configuration fields, by type. */
const names = /* @__PURE__ */ Object.keys({
  vocabSize: 0,
  embedDim: 0,
  hiddenDim: 0,
  numLayers: 0,
  numHeads: 0,
  numKvHeads: 0,
  headDim: 0,
  contextLength: 0,
  stopIds: 0,
  norm: 0,
  normEps: 0,
  placement: 0,
  residualScale: 0,
  activation: 0,
  gated: 0,
  gateLimit: 0,
  bias: 0,
  experts: 0,
  feedForwardLayers: 0,
  positions: 0,
  alibiScale: 0,
  ropeBase: 0,
  ropeLayout: 0,
  ropeDim: 0,
  ropeScaling: 0,
  ropeLayers: 0,
  slidingRopeBase: 0,
  bidirectional: 0,
  layerTypes: 0,
  window: 0,
  chunkSize: 0,
  attentionScale: 0,
  attentionSoftcap: 0,
  qkNorm: 0,
  qkNormPlace: 0,
  queryTemperature: 0,
  differential: 0,
  latent: 0,
  indexer: 0,
  attentionGate: 0,
  sinks: 0,
  valueNorm: 0,
  sharedKeyValues: 0,
  activationSparsity: 0,
  layerOverrides: 0,
  laurelRank: 0,
  altUp: 0,
  perLayerEmbedding: 0,
  layerScale: 0,
  embeddingScale: 0,
  embeddingNorm: 0,
  logitScale: 0,
  logitSoftcap: 0,
  bytePatches: 0,
  dropout: 0,
  head: 0,
  checkpoint: 0,
} satisfies Record<keyof DecoderConfig, 0>) as (keyof DecoderConfig)[];

function checkConfig(config: DecoderConfig): void {
  const { vocabSize, embedDim, hiddenDim, numLayers, numHeads, numKvHeads, contextLength, normEps, stopIds } =
    check.options(config, names, "config");
  check.whole({ vocabSize, embedDim, hiddenDim, numHeads, numKvHeads, contextLength }, { min: 1 });
  check.whole({ numLayers }, { min: 0 });
  check.finite({ normEps }, { min: 0, fix: "take what the model was trained with, about 1e-5." });
  const isId = (id: unknown) => Number.isSafeInteger(id) && (id as number) >= 0;
  const isIds = (list: unknown) => Array.isArray(list) && list.every(isId);
  check.each({ stopIds }, isIds, "a list of token ids", "give [] where texts have no end.");
  if (config.head !== undefined) checkTaskHead(check, config.head);
  check.oneOf({ positions: config.positions ?? "rotary" }, ["rotary", "learned", "alibi", "none"]);
  const isQkNorm = (kind: unknown) =>
    kind === undefined || typeof kind === "boolean" || kind === "heads" || kind === "unit";
  check.each({ qkNorm: config.qkNorm }, isQkNorm, 'true, false, "heads" or "unit"', "leave it out for none.");
  check.oneOf({ qkNormPlace: config.qkNormPlace ?? "beforeRope" }, ["beforeRope", "afterRope"]);
  const { sinks = false, embeddingNorm = false, differential = false, valueNorm = false } = config;
  const { layerScale = false, gated = true, bidirectional = false } = config;
  check.type({ sinks, embeddingNorm, differential, valueNorm, layerScale, gated, bidirectional }, "boolean");
  const maps = ["queryKeyValue", "attentionOutput", "feedForward"] as const;
  for (const [name, isBiased] of Object.entries(check.options(config.bias, maps, "config.bias")))
    if (isBiased !== undefined) check.type({ [`config.bias.${name}`]: isBiased }, "boolean");
  checkResidual(config);
  checkQueryTemperature(config.queryTemperature);
  checkLayerDrop(config);
  checkLayerOverrides(config);
  checkLatent(config);
  checkIndexer(config);
  checkLayerList("ropeLayers", config.ropeLayers, numLayers);
  if (config.attentionGate !== undefined)
    check.oneOf({ attentionGate: config.attentionGate }, ["elementwise", "headwise"]);
  checkLayerList("feedForwardLayers", config.feedForwardLayers, numLayers, isStackedLayer);
  checkLayerList("experts.layers", config.experts?.layers, numLayers);
  // Optional fields that must be above 0.
  const { headDim, ropeBase, ropeDim, slidingRopeBase, window, chunkSize, ...more } = config;
  const {
    attentionScale,
    attentionSoftcap,
    embeddingScale,
    logitSoftcap,
    logitScale,
    residualScale,
    alibiScale,
  } = more;
  check.whole(definedOnly({ headDim, ropeDim, window, chunkSize }), { min: 1 });
  check.finite(definedOnly({ activationSparsity: config.activationSparsity }), { min: 0, below: 1 });
  check.finite(
    definedOnly({
      ropeBase,
      slidingRopeBase,
      attentionScale,
      attentionSoftcap,
      embeddingScale,
      logitSoftcap,
      logitScale,
      residualScale,
      alibiScale,
    }),
    { above: 0, fix: "leave it out for the default." },
  );
}

function checkQueryTemperature(temperature: DecoderConfig["queryTemperature"]): void {
  if (temperature === undefined) return;
  const names = ["floorScale", "attnScale", "everywhere"] as const;
  const { floorScale, attnScale, everywhere = false } = check.options(temperature, names, "queryTemperature");
  check.finite({ "queryTemperature.floorScale": floorScale }, { above: 0, unit: "tokens" });
  check.finite({ "queryTemperature.attnScale": attnScale }, { min: 0 });
  check.type({ "queryTemperature.everywhere": everywhere }, "boolean");
}

/** Options of key-value heads, which latent attention does not support. */
const withoutLatent = [
  "headDim",
  "ropeDim",
  "qkNorm",
  "sinks",
  "attentionSoftcap",
  "queryTemperature",
  "differential",
  "slidingRopeBase",
  "alibiScale",
  "valueNorm",
  "sharedKeyValues",
  "layerOverrides",
] as const satisfies readonly (keyof DecoderConfig)[];

function checkLatent(config: DecoderConfig): void {
  if (config.latent === undefined) return;
  const sizes = ["kvRank", "queryRank", "nopeDim", "ropeDim", "valueDim"] as const;
  const { queryRank = 1, ...needed } = check.options(config.latent, sizes, "config.latent");
  const named = Object.entries({ queryRank, ...needed }).map(([name, size]) => [`latent.${name}`, size]);
  check.whole(Object.fromEntries(named) as Record<string, number>, { min: 1 });
  const unsupported = withoutLatent.find((name) => config[name] !== undefined && config[name] !== false);
  if (unsupported === undefined && ["rotary", "none", undefined].includes(config.positions)) return;
  const name = unsupported ?? "positions";
  check.refuse({
    argument: name,
    received: config[name],
    expected: "nothing, as latent attention does not have it",
    fix: `leave \`${name}\` or \`latent\` out.`,
  });
}

function checkIndexer({ indexer, latent }: DecoderConfig): void {
  if (indexer === undefined) return;
  const { numHeads, headDim, topK } = check.options(
    indexer,
    ["numHeads", "headDim", "topK"],
    "config.indexer",
  );
  check.whole({ "indexer.numHeads": numHeads, "indexer.topK": topK }, { min: 1 });
  const expected = "absent, as there is no latent for queries, of which index queries are made";
  if (latent?.queryRank === undefined)
    check.refuse({ argument: "indexer", received: indexer, expected, fix: "give `latent.queryRank` too." });
  check.whole(
    { "indexer.headDim": headDim },
    { min: latent!.ropeDim, unit: "elements, of which latent.ropeDim rotate" },
  );
}

/** Refuses invalid options of AltUp, per-layer embeddings, LAuReL and layer scales. */
function checkResidual(config: DecoderConfig): void {
  const { altUp, perLayerEmbedding, laurelRank, layerScale, valueNorm, qkNorm } = config;
  check.whole(definedOnly({ laurelRank }), { min: 1 });
  if (altUp !== undefined) {
    const names = ["streams", "active", "coefficientLimit", "outputScale"] as const;
    const {
      streams,
      active = 0,
      coefficientLimit,
      outputScale = false,
    } = check.options(altUp, names, "altUp");
    check.whole({ "altUp.streams": streams }, { min: 2, fix: "leave `altUp` out for one stream." });
    check.whole({ "altUp.active": active }, { min: 0, max: streams - 1 });
    check.finite(definedOnly({ "altUp.coefficientLimit": coefficientLimit }), { above: 0 });
    check.type({ "altUp.outputScale": outputScale }, "boolean");
  }
  if (perLayerEmbedding !== undefined) {
    const { dim, vocabSize } = check.options(perLayerEmbedding, ["dim", "vocabSize"], "perLayerEmbedding");
    const sizes = { "perLayerEmbedding.dim": dim, "perLayerEmbedding.vocabSize": vocabSize };
    check.whole(definedOnly(sizes), { min: 1 });
    check.whole({ "perLayerEmbedding.dim": dim }, { min: 1 });
  }
  const refuse = (argument: string, expected: string, fix: string): never =>
    check.refuse({ argument, received: true, expected, fix });
  if (layerScale && altUp)
    refuse("layerScale", "false, beside altUp", "give either `layerScale` or `altUp`, not both.");
  if (valueNorm && !qkNorm) refuse("valueNorm", "false, without qkNorm", "give `qkNorm: true` too.");
}

/** Refuses invalid per-layer overrides. */
function checkLayerOverrides({ layerOverrides, numLayers }: DecoderConfig): void {
  if (layerOverrides === undefined) return;
  const isList = () => Array.isArray(layerOverrides) && layerOverrides.length === numLayers;
  const expected = `an object or undefined for each of the ${numLayers} layers`;
  check.each({ layerOverrides }, isList, expected, "name every layer.");
  layerOverrides.forEach((overrides, i) => {
    if (overrides === undefined) return;
    const argument = `layerOverrides[${i}]`;
    const checked = check.options(overrides, layerFields, argument);
    const { headDim, numKvHeads, hiddenDim, ropeDim, ropeBase, activationSparsity } = checked;
    const named = (values: Readonly<Record<string, unknown>>) =>
      Object.fromEntries(
        Object.entries(definedOnly(values)).map(([name, value]) => [`${argument}.${name}`, value]),
      );
    check.whole(named({ headDim, numKvHeads, hiddenDim, ropeDim }), { min: 1 });
    check.finite(named({ ropeBase }), { above: 0 });
    check.finite(named({ activationSparsity }), { min: 0, below: 1 });
  });
}

/** Refuses a list without an entry for every layer. `isOther`: true for an entry that is allowed besides true and false. */
function checkLayerList(
  argument: string,
  list: readonly unknown[] | undefined,
  numLayers: number,
  isOther?: (entry: unknown) => boolean,
): void {
  if (list === undefined) return;
  const isEntry = (entry: unknown) => typeof entry === "boolean" || isOther?.(entry);
  const isList = () => Array.isArray(list) && list.length === numLayers && list.every(isEntry);
  const expected = isOther ? "true, false or a layer with init and apply," : "true or false";
  check.each(
    { [argument]: list },
    isList,
    `${expected} for each of the ${numLayers} layers`,
    "name every layer.",
  );
}

/** True for custom layers. */
function isStackedLayer(type: unknown): boolean {
  const { init, apply } = (type ?? {}) as Partial<StackedLayer>;
  return typeof init === "function" && typeof apply === "function";
}

/** Options of one layer that may differ between layers. */
type LayerTraits = {
  readonly rotates: boolean;
  readonly experts: boolean;
  readonly feedForward: boolean | StackedLayer;
  /** True if the layer overrides base or scaling of RoPE. */
  readonly overridesRope: boolean;
  /** Overrides of the layer, as JSON. */
  readonly overrides: string;
  /** Initial λ of differential attention. */
  readonly lambdaInit?: number;
};

const layerTraits = (
  { ropeLayers, experts, differential, feedForwardLayers, layerOverrides }: DecoderConfig,
  i: number,
): LayerTraits => ({
  overrides: JSON.stringify(layerFields.map((name) => layerOverrides?.[i]?.[name] ?? null)),
  overridesRope:
    layerOverrides?.[i]?.ropeBase !== undefined || layerOverrides?.[i]?.ropeScaling !== undefined,
  feedForward: feedForwardLayers?.[i] ?? true,
  rotates: ropeLayers?.[i] ?? true,
  experts: experts !== undefined && (experts.layers?.[i] ?? true),
  ...(differential && { lambdaInit: lambdaInitOfLayer(i) }),
});

const areEqual = (a: LayerTraits, b: LayerTraits): boolean =>
  (Object.keys({ ...a, ...b }) as (keyof LayerTraits)[]).every((name) => a[name] === b[name]);

const hasValueResidual = (kind: LayerType): boolean =>
  typeof kind === "object" && !isHybrid(kind) && kind.valueResidual === true;

const definedOnly = (values: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

/** Standard deviation of initial embeddings, as in GPT-2 and Llama, so that initial logits are near zero. */
const initialScale = 0.02;

/** Options of the feed-forward layers of a decoder. */
function feedForwardConfig(config: DecoderConfig, map: DecoderKernels["linear"]) {
  return {
    embedDim: config.embedDim,
    hiddenDim: config.hiddenDim,
    activation: config.activation ?? "silu",
    gated: config.gated ?? true,
    ...(config.gateLimit && { gateLimit: config.gateLimit }),
    bias: config.bias?.feedForward ?? false,
    ...(map && { linear: map }),
  };
}

/** The mixture of experts of a layer. */
function experts(config: DecoderConfig, map: DecoderKernels["linear"]): MixtureOfExperts {
  const { layers: _, ...options } = config.experts ?? {};
  return mixtureOfExperts({ ...feedForwardConfig(config, map), ...(options as ExpertsConfig) });
}

function decoderLayer(
  config: DecoderConfig,
  kind: LayerType,
  traits: LayerTraits,
  map: DecoderKernels["linear"],
): TransformerLayer<FeedForwardParams | MixtureOfExpertsParams> {
  const { embedDim: C, normEps: eps } = config;
  const inner = feedForwardConfig(config, map);
  const tokenLayer =
    typeof traits.feedForward === "object"
      ? stackedLayer(traits.feedForward, map)
      : traits.experts
        ? experts(config, map)
        : feedForward({
            ...inner,
            ...(config.activationSparsity !== undefined && { sparsity: config.activationSparsity }),
          });
  const attention = sequenceLayer(config, kind, traits, map);
  const layerNorm = norm({ kind: config.norm ?? "rms", embedDim: C, eps });
  return transformerLayer({
    ...(attention && { attention }),
    ...(traits.feedForward && {
      feedForward: tokenLayer as TokenLayer<FeedForwardParams | MixtureOfExpertsParams>,
    }),
    norm: layerNorm,
    placement: config.placement ?? "pre",
    residualScale: config.residualScale ?? 1,
    dropout: config.dropout?.residual ?? 0,
    ...(config.laurelRank !== undefined && {
      laurel: laurel({ embedDim: C, rank: config.laurelRank, norm: layerNorm, ...(map && { linear: map }) }),
    }),
  });
}

/** Attention of a layer, or a mixer in place of it or parallel to it; undefined if it has neither. */
function sequenceLayer(
  config: DecoderConfig,
  kind: LayerType,
  traits: LayerTraits,
  map: DecoderKernels["linear"],
): SequenceLayer | undefined {
  if (kind === "none") return undefined;
  if (typeof kind !== "object") return attentionLayer(config, kind, traits, map);
  if (!isHybrid(kind)) return stackedLayer(kind, map) as SequenceLayer;
  return besideAttention(
    attentionLayer(config, kind.attention, traits, map),
    stackedLayer(kind.mixer, map),
  ) as SequenceLayer;
}

/** A custom layer, with the `linear` of the decoder. */
function stackedLayer(layer: StackedLayer, map: DecoderKernels["linear"]): SequenceLayer<object> {
  if (map === undefined) return layer;
  return (
    layer.withLinear?.(map) ??
    check.refuse({
      argument: "kernels.linear",
      received: map,
      expected: "layers that take other products, and one of `layerTypes` has no `withLinear`",
      fix: "leave `linear` out, or give the layer a method `withLinear(map)`.",
    })
  );
}

/** Built-in layer types, by name. */
type BuiltInAttention = Exclude<LayerType, StackedLayer>;

/** Built-in attention of a layer. */
function attentionLayer(
  config: DecoderConfig,
  kind: BuiltInAttention,
  { rotates, lambdaInit, overridesRope }: LayerTraits,
  map: DecoderKernels["linear"],
): SequenceLayer {
  if (config.latent) return latentLayer(config, config.latent, kind, rotates, map) as SequenceLayer;
  const { embedDim: C, numHeads, numKvHeads, positions = "rotary", normEps: eps } = config;
  const { headDim = C / numHeads } = config;
  if (positions === "rotary" && headDim % 2 !== 0) {
    check.refuse({
      argument: config.headDim === undefined ? "numHeads" : "headDim",
      received: config.headDim ?? numHeads,
      expected: `heads of an even size in embedDim = ${C}`,
      fix: "choose numHeads so that embedDim / numHeads is even: the rotary embedding rotates pairs of numbers.",
    });
  }
  const local = kind === "sliding" && config.slidingRopeBase !== undefined && !overridesRope;
  const rotary =
    positions === "rotary" &&
    rotates &&
    ropeFromConfig(
      {
        headDim,
        base: (local ? config.slidingRopeBase : config.ropeBase) ?? 10000,
        layout: config.ropeLayout ?? "half",
        ...(config.ropeDim !== undefined && { rotaryDim: config.ropeDim }),
      },
      local ? undefined : config.ropeScaling,
    );
  const mask = layerMask(config, kind);
  return groupedQuery({
    embedDim: C,
    numHeads,
    numKvHeads,
    headDim,
    ...(mask && { mask }),
    ...(rotary && { rope: rotary }),
    ...(config.qkNorm &&
      (rotates || config.qkNormPlace !== "afterRope") && {
        qkNorm: qkNorm("rms", {
          eps,
          over: config.qkNorm === "heads" ? "heads" : "head",
          gain: config.qkNorm !== "unit",
          place: config.qkNormPlace ?? "beforeRope",
          values: config.valueNorm ?? false,
        }),
      }),
    ...(config.queryTemperature &&
      (!rotates || config.queryTemperature.everywhere) && { queryScale: queryTemperatureScale(config) }),
    ...(lambdaInit !== undefined && { differential: differential({ lambdaInit, eps }) }),
    ...(config.attentionGate && { gate: outputGate(config.attentionGate) }),
    ...(config.sinks && { sinks: learnedSinks() }),
    ...(positions === "alibi" && { scoreMod: alibi(numHeads, { scale: config.alibiScale ?? 1 }) }),
    ...(config.attentionScale !== undefined && { scale: config.attentionScale }),
    ...(config.attentionSoftcap !== undefined && { softcap: config.attentionSoftcap }),
    ...(config.dropout?.attention && { dropout: config.dropout.attention }),
    bias: Boolean(config.bias?.queryKeyValue || config.bias?.attentionOutput),
    ...(map && { linear: map }),
  });
}

/**
 * The attention of a decoder layer, with its configuration: rotary embedding, norms, scale, mask.
 *
 * @param layer - Index of the layer, from 0.
 * @returns Undefined for a layer without attention, and for a custom layer.
 * @throws {ArgumentError} If the model has no such layer.
 *
 * @example
 * ```ts
 * import { layerAttention } from "@qkv/transformer";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * layerAttention(config, 0)?.config.mask?.name; // => "causal()"
 * ```
 */
export function layerAttention(
  config: DecoderConfig,
  layer: number,
): AttentionLayer | LatentLayer | undefined {
  const on = checks("layerAttention");
  on.each(
    { config },
    (value) => typeof value === "object" && value !== null,
    "the configuration of a decoder",
  );
  on.whole({ layer }, { min: 0, max: config.numLayers - 1, fix: "count layers from 0." });
  const kind = checkLayerTypes(config)[layer]!;
  const attention = isHybrid(kind) ? kind.attention : kind;
  if (typeof attention === "object" || attention === "none") return undefined;
  const traits = layerTraits(config, layer);
  return attentionLayer(layerConfig(config, layer), attention, traits, undefined) as
    AttentionLayer | LatentLayer;
}

/**
 * The mixture of experts of a decoder layer, whose `route` returns the experts of each token.
 *
 * @param layer - Index of the layer, from 0.
 * @returns Undefined for a layer without experts.
 * @throws {ArgumentError} If the model has no such layer.
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { decoder, layerExperts, type MixtureOfExpertsParams } from "@qkv/transformer";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [], experts: { numExperts: 4, expertsPerToken: 2 },
 * };
 * const params = decoder(config).init(1).layers[0]!.feedForward as MixtureOfExpertsParams;
 * const { chosen } = layerExperts(config, 0)!.route(params, randn([1, 3, 8], { seed: 2 }));
 * chosen.shape; // => [3, 2]
 * ```
 */
export function layerExperts(config: DecoderConfig, layer: number): MixtureOfExperts | undefined {
  const on = checks("layerExperts");
  on.each(
    { config },
    (value) => typeof value === "object" && value !== null,
    "the configuration of a decoder",
  );
  on.whole({ layer }, { min: 0, max: config.numLayers - 1, fix: "count layers from 0." });
  const traits = layerTraits(config, layer);
  const hasExperts = traits.experts && traits.feedForward === true;
  return hasExperts ? experts(layerConfig(config, layer), undefined) : undefined;
}

/** Query temperature scaling by position. */
function queryTemperatureScale({ queryTemperature: temperature }: DecoderConfig): QueryScale {
  const { everywhere = false, ...steps } = temperature!;
  const factor = llama4Temperature(steps);
  // Llama 4's steps begin one token earlier.
  return scaleByPosition(everywhere ? (position) => factor(position - 1) : factor);
}

/** Multi-head latent attention. */
function latentLayer(
  config: DecoderConfig,
  heads: LatentHeads,
  kind: BuiltInAttention,
  rotates: boolean,
  map: DecoderKernels["linear"],
): SequenceLayer<object> {
  const { embedDim, numHeads, positions = "rotary", ropeBase = 10000, ropeLayout = "half" } = config;
  const mask = layerMask(config, kind);
  const rotary =
    positions === "rotary" &&
    rotates &&
    ropeFromConfig({ headDim: heads.ropeDim, base: ropeBase, layout: ropeLayout }, config.ropeScaling);
  const indexRotary =
    config.indexer &&
    rotary &&
    ropeFromConfig(
      { headDim: config.indexer.headDim, rotaryDim: heads.ropeDim, base: ropeBase, layout: "half" },
      config.ropeScaling,
    );
  return latent({
    embedDim,
    numHeads,
    ...heads,
    ...(mask && { mask }),
    ...(rotary && { rope: rotary }),
    ...(config.indexer && { indexer: { ...config.indexer, ...(indexRotary && { rope: indexRotary }) } }),
    ...(config.dropout?.attention && { dropout: config.dropout.attention }),
    ...(config.attentionScale !== undefined && { scale: config.attentionScale }),
    bias: Boolean(config.bias?.queryKeyValue || config.bias?.attentionOutput),
    ...(map && { linear: map }),
  });
}

/** Mask of a layer; undefined without a mask. */
function layerMask(
  { bidirectional = false, window, chunkSize }: DecoderConfig,
  kind: BuiltInAttention,
): Mask | undefined {
  if (kind === "chunked") return chunked(chunkSize!);
  if (kind === "full") return bidirectional ? undefined : causal();
  if (!bidirectional) return slidingWindow(window!);
  const side = (window! - 1) / 2;
  return slidingWindow({ before: side, after: side });
}

/** Attention params of a layer that reuses the keys and values of another. */
function withoutKeyValues(attention: DecoderLayerParams["attention"]): DecoderLayerParams["attention"] {
  const { key: _key, value: _value, keyNorm: _norm, ...others } = attention;
  return others as DecoderLayerParams["attention"];
}

/** Params of attention without the biases that the configuration does not have. */
function withoutBiases(
  attention: DecoderLayerParams["attention"],
  { bias, latent }: DecoderConfig,
): DecoderLayerParams["attention"] {
  if (latent) return attention;
  const bare = <T extends { weight: Tensor }>(map: T): T => ({ weight: map.weight }) as T;
  const { query, key, value, output, gate } = attention;
  return {
    ...attention,
    ...(gate && !bias?.queryKeyValue && { gate: bare(gate) }),
    ...(!bias?.queryKeyValue && { query: bare(query), key: bare(key), value: bare(value) }),
    ...(!bias?.attentionOutput && { output: bare(output) }),
  };
}

function checkLayerTypes({
  layerTypes,
  numLayers,
  window,
  chunkSize,
  bidirectional = false,
  feedForwardLayers,
  sharedKeyValues,
}: DecoderConfig): readonly LayerType[] {
  const kinds: readonly LayerType[] = layerTypes ?? new Array<"full">(numLayers).fill("full");
  const refuse = (argument: string, received: unknown, expected: string, fix: string): never =>
    check.refuse({ argument, received, expected, fix });
  if (kinds.length !== numLayers) {
    refuse(
      "layerTypes",
      `${kinds.length} types`,
      `one for each of the ${numLayers} layers`,
      "name every layer.",
    );
  }
  const isType = (type: unknown): boolean => {
    if (attends(type) || type === "none" || isStackedLayer(type)) return true;
    const { attention, mixer } = (type ?? {}) as Partial<HybridLayer>;
    return attends(attention) && isStackedLayer(mixer);
  };
  const wrong = kinds.findIndex((type) => !isType(type));
  if (wrong >= 0) {
    const fix =
      "write `mixerLayer({ … })` for a layer with a mixer; `multiHead` and `groupedQuery` make others.";
    refuse(
      `layerTypes[${wrong}]`,
      kinds[wrong],
      '"full", "sliding", "chunked", or a layer with init and apply',
      fix,
    );
  }
  checkSharedKeyValues(sharedKeyValues, kinds);
  const empty = kinds.findIndex((type, i) => type === "none" && feedForwardLayers?.[i] === false);
  if (empty >= 0) {
    const fix = "leave the layer out, or give it one of both.";
    refuse(`layerTypes[${empty}]`, "none", "attention, as this layer has no feed-forward layer", fix);
  }
  const slides = kinds.some((type) => (isHybrid(type) ? type.attention : type) === "sliding");
  if (bidirectional && holdsStates({ layerTypes: kinds, ...(feedForwardLayers && { feedForwardLayers }) })) {
    const fix = "leave `bidirectional` out.";
    refuse("bidirectional", true, "false, as some layers hold a state, which reads forward alone", fix);
  }
  if (window !== undefined && layerTypes === undefined) {
    const fix = 'give `layerTypes`, "sliding" for each layer with a window, or leave `window` out.';
    refuse("window", window, "nothing, as all layers are full without `layerTypes`", fix);
  }
  if (slides && window === undefined) {
    refuse("window", window, "a number of tokens, as some layers slide", "give the window of the model.");
  }
  if (chunkSize !== undefined && layerTypes === undefined) {
    const fix = 'give `layerTypes`, "chunked" for each layer with chunks, or leave `chunkSize` out.';
    refuse("chunkSize", chunkSize, "nothing, as all layers are full without `layerTypes`", fix);
  }
  if (kinds.includes("chunked") && chunkSize === undefined) {
    const fix = "give the chunk size of the model.";
    refuse("chunkSize", chunkSize, "a number of tokens, as some layers attend within chunks", fix);
  }
  if (kinds.includes("chunked") && bidirectional) {
    const fix = "leave `bidirectional` out.";
    refuse("bidirectional", true, "false, as some layers attend within chunks, which are causal", fix);
  }
  if (slides && bidirectional && window! % 2 !== 1) {
    const fix = "count the keys on both sides, as many on each, and the token itself.";
    refuse("window", window, "an odd number of tokens, as the model is bidirectional", fix);
  }
  return kinds;
}

/** True for the names of built-in layer types. */
const attends = (type: unknown): boolean => ["full", "sliding", "chunked"].includes(type as string);

/** Checks that a layer reuses keys and values of an earlier layer of the same type that computes its own. */
function checkSharedKeyValues(sources: DecoderConfig["sharedKeyValues"], kinds: readonly LayerType[]): void {
  if (sources === undefined) return;
  const fix = "give for each layer its own number, or that of an earlier one of its type: `[0, 1, 0, 1]`.";
  const isList = () => Array.isArray(sources) && sources.length === kinds.length;
  check.each({ sharedKeyValues: sources }, isList, `a number for each of the ${kinds.length} layers`, fix);
  const fits = (from: number, i: number): boolean =>
    from === i ||
    (from >= 0 && from < i && sources[from] === from && attends(kinds[i]) && kinds[from] === kinds[i]);
  const wrong = sources.findIndex((from, i) => !fits(from, i));
  if (wrong < 0) return;
  check.refuse({
    argument: `sharedKeyValues[${wrong}]`,
    received: sources[wrong],
    expected: `${wrong}, or the number of an earlier layer of its type that makes its own keys and values`,
    fix,
  });
}

/** The last rows of `[B, T, C]`, or of streams `[B, T, N, C]`. */
function lastRows(x: Tensor, count: number): Tensor {
  return slice(x, 1, x.shape[1]! - Math.min(count, x.shape[1]!));
}
