import { checks } from "@qkv/core";
import type {
  AnyModel,
  TextModel,
  CrossDecoderModel,
  EncoderDecoderModel,
  EncoderModel,
  GenerativeModel,
  ModelKind,
} from "./model.js";
import type { SpeechModel } from "./speech-model.js";

/**
 * The kind of a model by what it has: also of one that no loader has given a `kind`.
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { modelKind } from "@qkv/transformer/inspection";
 *
 * const { config, init, apply } = decoder({
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * });
 * modelKind({ config, params: init(1), apply }); // => "decoder"
 * ```
 */
export function modelKind(model: object): ModelKind {
  const isModel = (value: unknown) => typeof (value as AnyModel | null | undefined)?.config === "object";
  checks("modelKind").each({ model }, isModel, "a model", "give what `load` or another loader returns.");
  return kindOf(model);
}

/** The kind of any object that is taken for a model; one that has just an `apply` is taken for a decoder. */
export function kindOf(model: object): ModelKind {
  if ("leastFrames" in model) return "speech";
  if ("embedTexts" in model) return "dual-encoder";
  if ("pool" in model) return "vision";
  if ("maskedTokenLogits" in model) return "encoder";
  const { config } = model as { config?: object };
  return "encode" in model || (config && "startIds" in config) ? "encoder-decoder" : "decoder";
}

/** True for encoders. */
export const isEncoder = (model: TextModel): model is EncoderModel => "maskedTokenLogits" in model;

/** True for encoder–decoders with text sources. */
export const isEncoderDecoder = (model: TextModel | GenerativeModel): model is EncoderDecoderModel =>
  "encode" in model;

/** True for speech models. */
export const isSpeech = (model: object): model is SpeechModel => "leastFrames" in model;

/** True for models with an encoder and a decoder, for text or speech. */
export const isCrossDecoder = (model: GenerativeModel): model is CrossDecoderModel =>
  "startIds" in model.config;
