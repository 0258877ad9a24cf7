import type { Tokenizer } from "@qkv/tokenizer";
import type { FeatureExtractor } from "../audio/feature-extractor.js";
import type { QuantizationReport } from "./quantization-report.js";
import type { SpeechTokens } from "./speech-tokens.js";
import type { SpeechToText, SpeechToTextConfig, SpeechToTextParams } from "./speech-to-text.js";

/** A speech model with its weights, its front end and its tokenizer. */
export type SpeechModel = {
  readonly config: SpeechToTextConfig;
  readonly params: SpeechToTextParams;
  /** Undefined where none was given: such a model gives ids. */
  readonly tokenizer: Tokenizer | undefined;
  /** Makes features of a waveform. */
  readonly features: FeatureExtractor;
  /** Special tokens, and rules of generation. */
  readonly speech: SpeechTokens;
  /** Reads features, with any params of this shape. */
  readonly encode: SpeechToText["encode"];
  /** Ids of what is written to logits `[B, T, V]`, with any params of this shape. */
  readonly apply: SpeechToText["apply"];
  /** The least number of frames, or samples, that `encode` takes. */
  readonly leastFrames: number;
  /** With the option `quantize`: the quantization error of each matrix. */
  readonly quantization?: QuantizationReport;
};
