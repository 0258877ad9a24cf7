import type { Weights } from "../../loading/weights.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import type { DecoderParams } from "../../models/decoder.js";
import type { DualEncoderConfig, DualEncoderParams } from "../../models/dual-encoder.js";
import type { EncoderConfig, EncoderParams } from "../../models/encoder.js";
import type { EncoderDecoderConfig, EncoderDecoderParams } from "../../models/encoder-decoder.js";
import type { SpeechToTextConfig, SpeechToTextParams } from "../../models/speech-to-text.js";
import type { VisionTransformerConfig, VisionTransformerParams } from "../../models/vision-transformer.js";
import type { ConfigFields } from "../../architectures/config-fields.js";

/** A text or speech model: its configuration and params. */
export type Checkpoint =
  | { kind: "decoder"; config: DecoderConfig; params: DecoderParams }
  | { kind: "encoder"; config: EncoderConfig; params: EncoderParams }
  | { kind: "encoder-decoder"; config: EncoderDecoderConfig; params: EncoderDecoderParams }
  | SpeechCheckpoint;

/** A speech model, and its default feature extractor as a `preprocessor_config.json`. */
export type SpeechCheckpoint = {
  kind: "speech";
  config: SpeechToTextConfig;
  params: SpeechToTextParams;
  features: object;
};

/** A vision transformer. */
export type VisionCheckpoint = {
  kind: "vision";
  config: VisionTransformerConfig;
  params: VisionTransformerParams;
};

/** A dual encoder. */
export type DualEncoderCheckpoint = {
  kind: "dual-encoder";
  config: DualEncoderConfig;
  params: DualEncoderParams;
};

/** A model of any kind. */
export type AnyCheckpoint = Checkpoint | VisionCheckpoint | DualEncoderCheckpoint;

/** Format of the file. GGUF files store some tensors differently, and omit values that are constants in llama.cpp. */
export type StorageFormat = "hugging-face" | "gguf";

/** A reader for the checkpoints of a family of architectures. */
export type Family = {
  /** As in `model_type` of a `config.json`. */
  readonly modelTypes: readonly string[];
  read(type: string, fields: ConfigFields, weights: Weights, storedAs: StorageFormat): Promise<Checkpoint>;
};

/** Finds the prefix of the tensor names in a checkpoint: none, or the path of the model inside another model. */
export function findPrefix(weights: Weights, name: string, prefixes: readonly string[]): string {
  return prefixes.find((prefix) => weights.has(prefix + name)) ?? prefixes[0]!;
}

/** Calls `read` for 0 to `count - 1`, one after the other, so that at most one chunk of one tensor is in memory besides the loaded weights. */
export async function mapSequentially<T>(count: number, read: (i: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let i = 0; i < count; i++) results.push(await read(i));
  return results;
}
