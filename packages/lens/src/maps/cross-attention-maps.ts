import { checks, type Checks } from "@qkv/core";
import { isTensor, type Tensor } from "@qkv/tensor";
import type { ModelTrace } from "@qkv/transformer";

/** An encoder–decoder with its weights, of texts or of speech: BART, T5, Marian, Whisper. */
export type CrossAttentionModel<Params, Source> = {
  readonly params: Params;
  readonly apply: (
    params: Params,
    ids: Tensor | readonly number[],
    options?: { source?: Source; trace?: ModelTrace },
  ) => Tensor;
};

/**
 * Cross-attention maps of an encoder–decoder: the source positions that each target token attends to, in every layer and head.
 * For Whisper, a key is a frame of 20 ms of audio.
 *
 * @param ids - Ids of the target text, the decoder's input: a list, or ids `[B, T]`.
 * @param source - The encoder's input, a text or audio: ids, or the result of `model.encode`.
 * @returns Weights `[B, H, T, S]` by name, `decoder.layers.0.crossAttention.weights`.
 * @throws {ArgumentError} If the model has no cross-attention, or `ids` are not token ids.
 * @see "Neural Machine Translation by Jointly Learning to Align and Translate" (2014), arXiv:1409.0473
 *
 * @example
 * ```ts
 * import { encoderDecoder } from "@qkv/transformer";
 * import { crossAttentionMaps } from "@qkv/lens";
 *
 * const { init, apply } = encoderDecoder({
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, contextLength: 32, startIds: [2], stopIds: [2],
 * });
 * const maps = crossAttentionMaps({ params: init(1), apply }, [2, 7, 1], [3, 1, 4, 1]);
 * maps["decoder.layers.1.crossAttention.weights"]!.shape; // => [1, 2, 3, 4]
 * ```
 */
export function crossAttentionMaps<Params, Source>(
  model: CrossAttentionModel<Params, Source>,
  ids: Tensor | readonly number[],
  source: Source,
): Readonly<Record<string, Tensor>> {
  const { params, apply } = (model ?? {}) as Partial<CrossAttentionModel<Params, Source>>;
  const isModel = () => typeof apply === "function" && typeof params === "object" && params !== null;
  check.each({ model }, isModel, "an encoder–decoder with its weights", "give `{ params, apply }` of one.");
  if ("layers" in (params as object)) refuseModel("a model of one stack, which has no cross-attention");
  const isIds = (given: unknown) =>
    isTensor(given) || (Array.isArray(given) && given.every(Number.isSafeInteger));
  check.each({ ids }, isIds, "a list of token ids, or ids [B, T]");
  check.each({ source }, (given) => given !== undefined, "ids, or what `model.encode` returned");
  const tensors: Record<string, Tensor> = {};
  model.apply(model.params, ids, { source, trace: { names: [name as "weights"], tensors } });
  if (Object.keys(tensors).length === 0) refuseModel("a model whose trace has no cross-attention");
  return tensors;
}

function refuseModel(received: string): never {
  return check.refuse({
    ...{ argument: "model", received, expected: "an encoder–decoder with its weights" },
    fix: 'for the maps of self-attention write `runWithTrace(model, ids, { names: ["weights"] })`.',
  });
}

/** End of the name of each map. */
const name = "crossAttention.weights";
const check: Checks = /* @__PURE__ */ checks("crossAttentionMaps");
