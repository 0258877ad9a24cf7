import type { Tokenizer } from "@qkv/tokenizer";
import type { FeatureExtractor } from "../audio/feature-extractor.js";
import type { QuantizationReport } from "./quantization-report.js";
import type { SpeechTokens } from "./speech-tokens.js";
import type { SpeechToText, SpeechToTextConfig, SpeechToTextParams } from "./speech-to-text.js";

/** A speech model with its weights, its feature extractor and its tokenizer. */
export type SpeechModel = {
  /** Given by the loaders; a model of your own may leave it out. */
  readonly kind?: "speech";
  readonly config: SpeechToTextConfig;
  readonly params: SpeechToTextParams;
  /** Undefined without a tokenizer: such a model returns ids. */
  readonly tokenizer: Tokenizer | undefined;
  /** The feature extractor for waveforms. */
  readonly features: FeatureExtractor;
  /** Special tokens and generation settings. */
  readonly speech: SpeechTokens;
  /** Encodes features, with any params of the same shapes. */
  readonly encode: SpeechToText["encode"];
  /** Decoder ids to logits `[B, T, V]`, with any params of the same shapes. */
  readonly apply: SpeechToText["apply"];
  /** Minimum number of frames, or samples, for `encode`. */
  readonly leastFrames: number;
  /** With the option `quantize`: the quantization error of each matrix. */
  readonly quantization?: QuantizationReport;
};
