import type {
  TextModel,
  CrossDecoderModel,
  EncoderDecoderModel,
  EncoderModel,
  GenerativeModel,
} from "./model.js";
import type { SpeechModel } from "./speech-model.js";

/** True for encoders. */
export const isEncoder = (model: TextModel): model is EncoderModel => "maskedTokenLogits" in model;

/** True for encoder–decoders with text sources. */
export const isEncoderDecoder = (model: TextModel | GenerativeModel): model is EncoderDecoderModel =>
  "encode" in model;

/** True for speech models. */
export const isSpeech = (model: object): model is SpeechModel => "leastFrames" in model;

/** True for text models. */
export const isTextModel = (model: object): model is TextModel =>
  "params" in model && "embedding" in (model as TextModel).params && !isSpeech(model);

/** True for models with an encoder and a decoder, for text or speech. */
export const isCrossDecoder = (model: GenerativeModel): model is CrossDecoderModel =>
  "startIds" in model.config;
