import { and, toGroupedQuery, type Mask } from "@qkv/attention";
import { checks, type Checks } from "@qkv/core";
import { decoder, quantize, type DecoderParams, type Model, type Quantization } from "@qkv/transformer";
import { checkModel, type LensModel } from "../lens-model.js";

/** Changes of the attention of a trained model. Fields that are left out change nothing. */
export type AttentionSwap = {
  /**
   * A mask, combined with those of the layers: `slidingWindow(64)`, or `or(keepFirst(4), slidingWindow(64))` for a window with
   * attention sinks.
   */
  readonly mask?: Mask;
  /** Number of key-value heads of each layer, a divisor of the current number. Each new head is the mean of those that it replaces. */
  readonly numKvHeads?: number;
  /** Quantizes matrices to 8 or 4 bits. */
  readonly quantize?: Quantization;
};

/**
 * The same trained model with changed attention: a mask, fewer key-value heads by mean pooling, quantized weights. The given
 * model is not changed.
 *
 * The model was not trained with this attention; {@link compareAttention} measures the loss of quality. Fine-tuning recovers it.
 *
 * @returns A model for `generate`, `evaluate` and the functions of this package.
 * @throws {ArgumentError} If the layers have no such heads; when the model runs, if a mask is given and some layers have a state.
 * @see mean pooling: "GQA" (2023), arXiv:2305.13245; sinks: "Efficient Streaming Language Models" (2023), arXiv:2309.17453
 *
 * @example
 * ```ts
 * import { slidingWindow } from "@qkv/attention";
 * import { decoder } from "@qkv/transformer";
 * import { swapAttention } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 2,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const model = { config, params: init(1), apply };
 * const swapped = swapAttention(model, { mask: slidingWindow(2), numKvHeads: 1 });
 * swapped.params.layers[0]!.attention.key.weight.shape; // => [4, 8]
 * swapped.apply(swapped.params, [3, 1, 4]).shape; // => [1, 3, 11]
 * ```
 */
export function swapAttention(model: LensModel, swap: AttentionSwap): Model {
  checkModel(check, model);
  const {
    mask,
    numKvHeads,
    quantize: kind,
  } = check.options(swap, ["mask", "numKvHeads", "quantize"], "swap");
  const fullModel: Model = { ...model, tokenizer: model.tokenizer };
  const grouped = numKvHeads === undefined ? fullModel : withKvHeads(fullModel, numKvHeads);
  if (kind !== undefined) check.oneOf({ quantize: kind }, ["int8", "int4"]);
  const rounded = kind === undefined ? grouped : quantize(grouped, { kind }).model;
  return mask === undefined ? rounded : withMask(rounded, mask);
}

/** A model whose key-value heads are means of the heads that they replace. */
function withKvHeads(model: Model, numKvHeads: number): Model {
  const { config, params } = model;
  check.whole({ numKvHeads }, { min: 1, unit: "heads" });
  const isGrouped = () =>
    !config.latent && (config.layerTypes ?? []).every((type) => typeof type === "string");
  const expected = "a model of which all layers have key-value heads";
  const fix = "leave `numKvHeads` out: a latent and a state have no heads to average.";
  check.each({ numKvHeads }, isGrouped, expected, fix);
  const { numHeads, layerOverrides } = config;
  const owns = (i: number) => (config.sharedKeyValues?.[i] ?? i) === i && config.layerTypes?.[i] !== "none";
  const layers: DecoderParams["layers"] = params.layers.map((layer, i) =>
    owns(i) ? { ...layer, attention: toGroupedQuery(layer.attention, { numHeads, numKvHeads }) } : layer,
  );
  const overrides = layerOverrides?.map((one) => one && { ...one, numKvHeads });
  const changed = { ...config, numKvHeads, ...(overrides && { layerOverrides: overrides }) };
  return { ...model, config: changed, params: { ...params, layers }, apply: decoder(changed).apply };
}

/** A model that applies a mask in every call, together with the mask of the call. */
function withMask(model: Model, mask: Mask): Model {
  const isMask = (value: unknown) => typeof (value as Partial<Mask> | null)?.bind === "function";
  check.each({ mask }, isMask, "a mask", "make one: `slidingWindow(64)`.");
  const apply: Model["apply"] = (params, ids, options) =>
    model.apply(params, ids, { ...options, mask: options?.mask ? and(options.mask, mask) : mask });
  return { ...model, apply };
}

const check: Checks = /* @__PURE__ */ checks("swapAttention");
