import { checks, type Checks } from "@qkv/core";
import type { Positions } from "@qkv/attention";
import type { Cache } from "@qkv/attention-contract";
import { checkTensor, embedding, linear, mul, randn, slice, type Tensor } from "@qkv/tensor";
import { checkParams } from "../layers/check-params.js";
import { checkTrace, traceAt, type ModelTrace, type TracedLayers } from "../layers/trace.js";
import { checkIds, isId, type TokenIds } from "./check-ids.js";
import type { DecoderKernels } from "./decoder.js";
import { paddedLengths, residentSource, type EncodedSource } from "./encoded-source.js";
import {
  layerStack,
  layerStackNames,
  type LayerStackConfig,
  type LayerStackParams,
  type LayerStackSeeds,
} from "./layer-stack.js";
import { modelSeeds } from "./model-seeds.js";
import { rollbackOnError } from "./rollback-on-error.js";

/** Configuration of a decoder with cross-attention. The defaults are BART's. */
export type CrossDecoderConfig = LayerStackConfig & {
  /** V */
  vocabSize: number;
  /** Start ids of each generated sequence, which are not returned. */
  startIds: readonly number[];
  /** Stop ids. */
  stopIds: readonly number[];
  /** Forced first generated id, such as a target language. Default: none. */
  forcedBosId?: number;
  /** Forced last id when `maxTokens` is reached. Default: none. */
  forcedEosId?: number;
  /** Multiplies logits. Default 1. */
  logitScale?: number;
};

/** Params of a decoder with cross-attention. */
export type CrossDecoderParams = {
  /** `[V, C]` */
  embedding: { weight: Tensor };
  decoder: LayerStackParams;
  /** `[V, C]`, and a bias `[V]`. Default of `weight`: the embedding (tied weights). */
  output?: { weight?: Tensor; bias?: Tensor };
};

export type CrossDecoderOptions = {
  /** The encoded source. Default: that of the cache. */
  source?: EncodedSource;
  /** Keys and values of earlier tokens; this call's are appended. Default: no cache. */
  cache?: Cache;
  /** Positions of the tokens. Default: after those in the cache. */
  positions?: Positions;
  /** Number of tokens of each batch without right padding. Default: no padding. */
  padding?: ArrayLike<number>;
  /** Number of last tokens to compute logits for. Default: all. */
  last?: number;
  /** `rows`: hidden states after the final norm, `[B, T, C]`. Default `logits`. */
  output?: "logits" | "rows";
  /**
   * Receives traced tensors, named `decoder.layers.0.attention.weights`, `decoder.layers.0.crossAttention.weights`. Default: nothing is traced.
   */
  trace?: ModelTrace;
};

/** A decoder that reads a source: created from its configuration; the params are passed to each call. */
export type CrossDecoder = {
  readonly config: CrossDecoderConfig;
  /** Random weights. */
  init(seed: number): CrossDecoderParams;
  /**
   * Prepares the output of an encoder, `[B, S, contextDim]`, for the decoder: computes the keys and values of each layer.
   *
   * @param lengths - Number of positions of each batch without padding. Default: no padding.
   */
  source(params: CrossDecoderParams, rows: Tensor, lengths?: readonly number[]): EncodedSource;
  /** Token ids `[B, T]` to logits `[B, T, V]`, or `[B, last, V]`. */
  apply(params: CrossDecoderParams, ids: TokenIds, options?: CrossDecoderOptions): Tensor;
};

/**
 * A decoder with causal self-attention and cross-attention to the output of an encoder for text or audio. The keys
 * and values of the source are computed only once.
 *
 * @param context - The encoder: `dim`, the width of its output, and `traced`, its layers for tracing.
 * @param kernels - `linear`: the function that multiplies by weight matrices. Default: `linear` of @qkv/tensor.
 * @throws {ArgumentError} If a size is wrong.
 * @see "Attention Is All You Need" (2017), arXiv:1706.03762, section 3.2.3
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { crossDecoder } from "@qkv/transformer";
 *
 * const decoder = crossDecoder({
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, contextLength: 32, startIds: [2], stopIds: [2],
 * });
 * const params = decoder.init(1);
 * const encoded = randn([1, 9, 8], { seed: 2 }); // output of an encoder
 * const source = decoder.source(params, encoded);
 * decoder.apply(params, [2, 7, 1], { source }).shape; // => [1, 3, 11]
 * ```
 */
export function crossDecoder(
  config: CrossDecoderConfig,
  context: CrossDecoderContext = {},
  kernels: DecoderKernels = {},
): CrossDecoder {
  const {
    sourceInScope: _,
    initFrom,
    ...decoder
  } = scopedCrossDecoder("crossDecoder", config, context, kernels);
  return {
    ...decoder,
    init(seed) {
      const [seeds, layers] = modelSeeds(seed, ["embedding", "positions"], config.numLayers);
      return initFrom({ ...seeds, layers });
    },
  };
}

/** The encoder to which a decoder attends. */
export type CrossDecoderContext = {
  /** Width of its output. Default: that of the decoder. */
  dim?: number;
  /** Its layers, for tracing. Default: none. */
  traced?: readonly TracedLayers[];
};

/** A decoder as part of a model. */
export type ScopedCrossDecoder = Omit<CrossDecoder, "init"> & {
  /** Random weights. */
  initFrom(seeds: LayerStackSeeds & { readonly embedding: number }): CrossDecoderParams;
  /** Prepares a source that belongs to the current scope. */
  sourceInScope: CrossDecoder["source"];
};

/** The same decoder for sources that belong to the current scope, as in training. */
export function scopedCrossDecoder(
  fn: string,
  given: CrossDecoderConfig,
  context: CrossDecoderContext,
  kernels: DecoderKernels,
): ScopedCrossDecoder {
  const check: Checks = checks(fn);
  const config = check.options(given, crossDecoderNames(), "config");
  checkCrossDecoder(check, config);
  const { vocabSize: V, embedDim: C, numLayers, logitScale = 1 } = config;
  const { linear: map = linear } = kernels;
  const stack = layerStack(fn, config, context.dim ?? C, kernels);
  const traced: readonly TracedLayers[] = [
    ...(context.traced ?? []),
    { path: "decoder", recurrent: new Array<boolean>(numLayers).fill(false), crossAttention: true },
  ];
  const outputLogits = (params: CrossDecoderParams, rows: Tensor): Tensor => {
    const { weight = params.embedding.weight, bias } = params.output ?? {};
    return map(logitScale === 1 ? rows : mul(rows, logitScale), weight, bias);
  };
  const sourceInScope: CrossDecoder["source"] = (params, rows, lengths) => ({
    rows,
    keyValues: stack.keyValues(params.decoder, rows),
    ...paddedLengths(lengths, rows.shape[1]!),
  });
  return {
    config,
    sourceInScope,
    initFrom: ({ embedding, ...seeds }) => ({
      embedding: { weight: mul(randn([V, C], { seed: embedding }), 0.02) },
      decoder: stack.init(seeds),
    }),
    source(params, rows, lengths) {
      checkTensor("crossDecoder.source", "rows", rows);
      return rows.device.scope(() => residentSource(sourceInScope(params, rows, lengths)));
    },
    apply(params, ids, given) {
      const options = onApply.options(given, callNames);
      const { cache, positions, last, output = "logits", trace } = options;
      checkParams(onApply, params, ["embedding.weight", "decoder.layers"]);
      checkTrace(onApply, trace, ...traced);
      if (last !== undefined) onApply.whole({ last }, { min: 1, unit: "tokens" });
      onApply.oneOf({ output }, ["logits", "rows"]);
      const { device } = params.embedding.weight;
      const tokens = checkIds(onApply, ids, { device, vocabSize: V });
      const source = checkSource(
        options.source ?? (cache as { source?: EncodedSource } | undefined)?.source,
        {
          batches: tokens.shape[0]!,
          numLayers,
        },
      );
      const run = (): Tensor => {
        const x = stack.apply(params.decoder, embedding(params.embedding.weight, tokens), {
          source,
          ...(cache && { cache }),
          ...(positions && { positions }),
          ...(trace && { trace: traceAt(trace, "decoder") }),
        });
        const T = x.shape[1]!;
        const rows = last === undefined || last >= T ? x : slice(x, 1, T - last, T);
        return output === "rows" ? rows : outputLogits(params, rows);
      };
      return rollbackOnError(cache, () => device.scope(run));
    },
  };
}

const onApply: Checks = /* @__PURE__ */ checks("encoderDecoder.apply");

const callNames = ["source", "cache", "positions", "padding", "last", "output", "trace"] as const;

/** Names of the configuration fields. A function, because bundlers do not remove an unused list that spreads another. */
export const crossDecoderNames = (): readonly (keyof CrossDecoderConfig)[] => [
  ...layerStackNames,
  ...(Object.keys({
    vocabSize: 0,
    startIds: 0,
    stopIds: 0,
    forcedBosId: 0,
    forcedEosId: 0,
    logitScale: 0,
  } satisfies Record<
    Exclude<keyof CrossDecoderConfig, keyof LayerStackConfig>,
    0
  >) as (keyof CrossDecoderConfig)[]),
];

/** Refuses invalid ids and an invalid logit scale. */
export function checkCrossDecoder(check: Checks, config: CrossDecoderConfig): void {
  const { vocabSize, startIds, stopIds, forcedBosId, forcedEosId, logitScale = 1 } = config;
  check.whole({ vocabSize }, { min: 1 });
  const isInVocabulary = (id: unknown) => isId(id, vocabSize);
  const expected = `token ids from 0 to ${vocabSize - 1}`;
  check.list({ startIds, stopIds }, expected, isInVocabulary);
  const nonEmpty = "one token id or more, with which a text begins";
  check.each({ startIds }, (ids) => (ids as unknown[]).length > 0, nonEmpty, "take the model's start token.");
  for (const [name, id] of Object.entries({ forcedBosId, forcedEosId }))
    if (id !== undefined) check.each({ [name]: id }, isInVocabulary, `a token id from 0 to ${vocabSize - 1}`);
  check.finite({ logitScale }, { above: 0, fix: "leave it out for 1." });
}

function checkSource(
  source: EncodedSource | undefined,
  { batches, numLayers }: { batches: number; numLayers: number },
): EncodedSource {
  const { rows, keyValues } = (source ?? {}) as Partial<EncodedSource>;
  const fix = "give `source: model.encode(model.params, ids)`, or a `sourceCache` that holds it.";
  if (!rows || keyValues?.length !== numLayers) {
    onApply.refuse({
      argument: "source",
      received: source && rows ? `keys and values of ${keyValues?.length} layers` : source,
      expected: `what the model's encoder made of a text, for ${numLayers} layers`,
      fix,
    });
  }
  if (rows.shape[0] === batches) return source!;
  return onApply.refuse({
    argument: "source",
    received: `a source of ${rows.shape[0]} batches`,
    expected: `one of ${batches}, as many as there are sequences`,
    fix: "encode a source for each sequence.",
  });
}
