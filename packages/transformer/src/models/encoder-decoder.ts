import { checks, isList, type Checks } from "@qkv/core";
import { embedding, isTensor, mul, randn, tensor, type Device, type Tensor } from "@qkv/tensor";
import { checkParams } from "../layers/check-params.js";
import { checkTrace, traceAt, type ModelTrace, type TracedLayers } from "../layers/trace.js";
import { checkIdList, checkIds, isNested, type TokenIds } from "./check-ids.js";
import {
  crossDecoderNames,
  scopedCrossDecoder,
  type CrossDecoderConfig,
  type CrossDecoderOptions,
  type CrossDecoderParams,
} from "./cross-decoder.js";
import type { DecoderKernels } from "./decoder.js";
import { paddedLengths, residentSource, type EncodedSource } from "./encoded-source.js";
import { layerStack, layerStackNames, type LayerStackConfig, type LayerStackParams } from "./layer-stack.js";
import { modelSeeds } from "./model-seeds.js";
import { checkTaskHead, initTaskHead, type TaskHeadConfig, type TaskHeadParams } from "./task-head.js";

/** Configuration of an encoder–decoder. Top-level fields are those of the decoder. The defaults are BART's. */
export type EncoderDecoderConfig = CrossDecoderConfig & {
  /** Fields in which the encoder differs from the decoder. `vocabSize`: a separate source vocabulary. Default: as the decoder. */
  encoder?: Partial<Omit<LayerStackConfig, "embedDim">> & { vocabSize?: number };
  /** Padding token of sources. Default 0. */
  padId?: number;
  /** A task head, for rows from {@link sequenceRows}. Default: none. */
  head?: TaskHeadConfig;
};

/** Params of an encoder–decoder. */
export type EncoderDecoderParams = CrossDecoderParams & {
  /** `[V, C]`, for a separate source vocabulary. Default: `embedding`. */
  sourceEmbedding?: { weight: Tensor };
  encoder: LayerStackParams;
  /** Params of the task head, with `head`. */
  head?: TaskHeadParams;
};

/** A source: ids of one text or of several, which may differ in length, or `[B, S]` int32. */
export type SourceIds = TokenIds;

export type SourceOptions = {
  /** Number of tokens of each batch without right padding, for ids in a tensor. Default: no padding. */
  padding?: readonly number[];
  /** Receives traced tensors, named `encoder.layers.0.attention.weights`. Default: nothing is traced. */
  trace?: ModelTrace;
};

export type EncoderDecoderOptions = Omit<CrossDecoderOptions, "source"> & {
  /** The source: the result of `encode`, or its ids. Default: that of the cache. */
  source?: EncodedSource | SourceIds;
  /** Number of tokens of each batch without right padding, for source ids in a tensor. Default: no padding. */
  sourcePadding?: readonly number[];
};

/** An encoder–decoder: created from its configuration; the params are passed to each call. */
export type EncoderDecoder = {
  readonly config: EncoderDecoderConfig;
  /** Random weights. */
  init(seed: number): EncoderDecoderParams;
  /** Encodes a source, once for the whole generation. */
  encode(params: EncoderDecoderParams, ids: SourceIds, options?: SourceOptions): EncodedSource;
  /** Decoder ids `[B, T]` to logits `[B, T, V]`, or `[B, last, V]`. */
  apply(params: EncoderDecoderParams, ids: TokenIds, options?: EncoderDecoderOptions): Tensor;
};

/**
 * An encoder–decoder: a bidirectional encoder processes a source, and a causal decoder generates a text with
 * cross-attention to it. The defaults are BART's; T5, Marian and M2M-100 differ in a few fields.
 *
 * @param kernels - `linear`: the function that multiplies by weight matrices. Default: `linear` of @qkv/tensor.
 * @throws {ArgumentError} If sizes are not divisible, or ids are invalid.
 * @see "Attention Is All You Need" (2017), arXiv:1706.03762; "BART" (2019), arXiv:1910.13461
 *
 * @example
 * ```ts
 * import type { Tensor } from "@qkv/tensor";
 * import { encoderDecoder } from "@qkv/transformer";
 *
 * const bart = encoderDecoder({
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, contextLength: 32, startIds: [2], stopIds: [2],
 * });
 * const params = bart.init(1);
 * const source = bart.encode(params, [3, 1, 4, 1]); // once
 * bart.apply(params, [2, 7, 1], { source }).shape; // => [1, 3, 11]
 *
 * const tensors: Record<string, Tensor> = {};
 * bart.apply(params, [2, 7, 1], { source, trace: { names: ["decoder.layers.0.crossAttention.weights"], tensors } });
 * tensors["decoder.layers.0.crossAttention.weights"]!.shape; // => [1, 2, 3, 4]
 * ```
 */
export function encoderDecoder(config: EncoderDecoderConfig, kernels?: DecoderKernels): EncoderDecoder {
  const {
    encoder: encoderOverrides = {},
    padId = 0,
    head,
    ...decoderConfig
  } = check.options(config, names(), "config");
  check.options(
    encoderOverrides,
    ["vocabSize", ...layerStackNames.filter((name) => name !== "embedDim")],
    "config.encoder",
  );
  const { linear: map } = check.options(kernels, ["linear"], "kernels");
  const { vocabSize: V, embedDim: C, numLayers } = decoderConfig;
  const sourceVocabSize = encoderOverrides.vocabSize ?? V;
  check.whole({ "encoder.vocabSize": sourceVocabSize }, { min: 1 });
  check.whole({ padId }, { min: 0, max: sourceVocabSize - 1 });
  if (head !== undefined) checkTaskHead(check, head);
  const { vocabSize: _, ...layerOverrides } = encoderOverrides;
  const shared = Object.fromEntries(
    layerStackNames.flatMap((name) =>
      decoderConfig[name] === undefined ? [] : [[name, decoderConfig[name]]],
    ),
  ) as LayerStackConfig;
  const encoderConfig: LayerStackConfig = { ...shared, ...layerOverrides };
  const stack = layerStack("encoderDecoder", encoderConfig, undefined, map && { linear: map });
  const traced: TracedLayers[] = [
    { path: "encoder", recurrent: new Array<boolean>(encoderConfig.numLayers).fill(false) },
  ];
  const decoder = scopedCrossDecoder(
    "encoderDecoder",
    decoderConfig,
    { dim: C, traced },
    map ? { linear: map } : {},
  );
  const encodeInScope: EncoderDecoder["encode"] = (params, given, options) => {
    const { padding, trace } = onEncode.options(options, ["padding", "trace"]);
    checkParams(onEncode, params, ["embedding.weight", "encoder.layers", "decoder.layers"]);
    checkTrace(onEncode, trace, ...traced, {
      ...{ path: "decoder", crossAttention: true, recurrent: new Array<boolean>(numLayers).fill(false) },
    });
    const { weight } = params.sourceEmbedding ?? params.embedding;
    const { device } = weight;
    const { ids, lengths = padding } = sourceBatch(given, { padId, vocabSize: sourceVocabSize, device });
    const tokens = checkIds(onEncode, ids, { device, vocabSize: sourceVocabSize });
    const [B, S] = tokens.shape as [number, number];
    if (lengths) checkLengths(lengths, B, S);
    const { mask } = paddedLengths(lengths, S);
    const rows = stack.apply(params.encoder, embedding(weight, tokens), {
      ...(mask && { mask }),
      ...(trace && { trace: traceAt(trace, "encoder") }),
    });
    return decoder.sourceInScope(params, rows, lengths);
  };
  const paramsDevice = ({ embedding }: EncoderDecoderParams) => embedding.weight.device;
  return {
    config,
    encode(params, ids, options) {
      checkParams(onEncode, params, ["embedding.weight"]);
      // The source outlives the scope, because generation uses it.
      return paramsDevice(params).scope(() => residentSource(encodeInScope(params, ids, options)));
    },
    init(seed) {
      const partNames = ["embedding", "positions", "sourcePositions", "sourceEmbedding", "head"] as const;
      const [seeds, layers] = modelSeeds(seed, partNames, numLayers + encoderConfig.numLayers);
      return {
        ...decoder.initFrom({ ...seeds, layers: layers.slice(0, numLayers) }),
        ...(sourceVocabSize !== V && {
          sourceEmbedding: {
            weight: mul(randn([sourceVocabSize, C], { seed: seeds.sourceEmbedding }), 0.02),
          },
        }),
        encoder: stack.init({ positions: seeds.sourcePositions, layers: layers.slice(numLayers) }),
        ...(head && { head: initTaskHead(head, C, seeds.head) }),
      };
    },
    apply(params, ids, given) {
      const { source, sourcePadding: padding, ...options } = given ?? {};
      if (source === undefined || isEncoded(source)) {
        if (padding !== undefined) refusePadding(padding);
        return decoder.apply(params, ids, { ...options, ...(source && { source }) });
      }
      checkParams(onEncode, params, ["embedding.weight"]);
      const { trace } = options;
      return paramsDevice(params).scope(() => {
        const encoded = encodeInScope(params, source, {
          ...(padding && { padding }),
          ...(trace && { trace }),
        });
        return decoder.apply(params, ids, { ...options, source: encoded });
      });
    },
  };
}

const isEncoded = (source: EncodedSource | SourceIds): source is EncodedSource =>
  !isTensor(source) && !isList(source);

/** Ids of several texts in one batch, padded on the right. */
function sourceBatch(
  given: SourceIds,
  { padId, vocabSize, device }: { padId: number; vocabSize: number; device: Device },
): { ids: TokenIds; lengths?: readonly number[] } {
  if (!isNested(given)) return { ids: given };
  const texts = given.map((ids, i) => checkIdList(onEncode, ids, vocabSize, `ids[${i}]`));
  const lengths = texts.map(({ length }) => length);
  const longest = Math.max(...lengths);
  const rows = texts.map((ids) => Array.from({ length: longest }, (_, s) => ids[s] ?? padId));
  return { ids: tensor(rows, { dtype: "int32", device }), lengths };
}

function checkLengths(lengths: readonly number[], B: number, S: number): void {
  const isLength = (length: unknown) =>
    Number.isInteger(length) && (length as number) >= 1 && (length as number) <= S;
  const expected = `a number of tokens from 1 to ${S} for each of the ${B} batches`;
  onEncode.each(
    { padding: lengths },
    (list) => isList(list) && list.length === B && Array.from(list).every(isLength),
    expected,
  );
}

function refusePadding(padding: readonly number[]): never {
  return checks("encoderDecoder.apply").refuse({
    argument: "sourcePadding",
    received: padding,
    expected: "nothing, as `source` is no tensor of ids",
    fix: "give it to `encode` as `padding`.",
  });
}

const check: Checks = /* @__PURE__ */ checks("encoderDecoder");
const onEncode: Checks = /* @__PURE__ */ checks("encoderDecoder.encode");
const names = (): readonly (keyof EncoderDecoderConfig)[] => [
  ...crossDecoderNames(),
  ...(Object.keys({ encoder: 0, padId: 0, head: 0 } satisfies Record<
    Exclude<keyof EncoderDecoderConfig, keyof CrossDecoderConfig>,
    0
  >) as (keyof EncoderDecoderConfig)[]),
];
