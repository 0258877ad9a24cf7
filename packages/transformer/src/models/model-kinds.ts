import type {
  TextModel,
  CrossDecoderModel,
  EncoderDecoderModel,
  EncoderModel,
  GenerativeModel,
} from "./model.js";
import type { SpeechModel } from "./speech-model.js";

/** Tells encoders from models that generate. */
export const isEncoder = (model: TextModel): model is EncoderModel => "maskedTokenLogits" in model;

/** Tells encoder–decoders, which read a text as their source, from other models. */
export const isEncoderDecoder = (model: TextModel | GenerativeModel): model is EncoderDecoderModel =>
  "encode" in model;

/** Tells speech models, which read sound, from other models. */
export const isSpeech = (model: object): model is SpeechModel => "leastFrames" in model;

/** Tells models of texts from those of images and of speech. */
export const isTextModel = (model: object): model is TextModel =>
  "params" in model && "embedding" in (model as TextModel).params && !isSpeech(model);

/** Tells models whose decoder reads a source, whatever its encoder, from those that continue prompts. */
export const isCrossDecoder = (model: GenerativeModel): model is CrossDecoderModel =>
  "startIds" in model.config;
