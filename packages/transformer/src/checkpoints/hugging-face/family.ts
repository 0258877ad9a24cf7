import type { Weights } from "../../loading/weights.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import type { DecoderParams } from "../../models/decoder.js";
import type { DualEncoderConfig, DualEncoderParams } from "../../models/dual-encoder.js";
import type { EncoderConfig, EncoderParams } from "../../models/encoder.js";
import type { EncoderDecoderConfig, EncoderDecoderParams } from "../../models/encoder-decoder.js";
import type { SpeechToTextConfig, SpeechToTextParams } from "../../models/speech-to-text.js";
import type { VisionTransformerConfig, VisionTransformerParams } from "../../models/vision-transformer.js";
import type { ConfigFields } from "../../architectures/config-fields.js";

/** A model's numbers and names, and its weights. */
export type Checkpoint =
  | { kind: "decoder"; config: DecoderConfig; params: DecoderParams }
  | { kind: "encoder"; config: EncoderConfig; params: EncoderParams }
  | { kind: "encoder-decoder"; config: EncoderDecoderConfig; params: EncoderDecoderParams }
  | SpeechCheckpoint;

/** A speech model, and its front end as a `preprocessor_config.json` where a folder has none. */
export type SpeechCheckpoint = {
  kind: "speech";
  config: SpeechToTextConfig;
  params: SpeechToTextParams;
  features: object;
};

/** A vision transformer's. */
export type VisionCheckpoint = {
  kind: "vision";
  config: VisionTransformerConfig;
  params: VisionTransformerParams;
};

/** A dual encoder's. */
export type DualEncoderCheckpoint = { kind: "dual"; config: DualEncoderConfig; params: DualEncoderParams };

/** Those of any model. */
export type AnyCheckpoint = Checkpoint | VisionCheckpoint | DualEncoderCheckpoint;

/** GGUF files hold some numbers in another way, and leave out what their readers know. */
export type StorageFormat = "hugging-face" | "gguf";

/** Reader of the checkpoints of a family of architectures. */
export type Family = {
  /** As in `model_type` of a `config.json`. */
  readonly modelTypes: readonly string[];
  read(type: string, fields: ConfigFields, weights: Weights, storedAs: StorageFormat): Promise<Checkpoint>;
};

/** Prefix of the names of a checkpoint: none, or the path of the model inside another. */
export function prefixOf(weights: Weights, name: string, prefixes: readonly string[]): string {
  return prefixes.find((prefix) => weights.has(prefix + name)) ?? prefixes[0]!;
}

/** One after the other, so that a piece of one tensor at a time is in memory beside those in place. */
export async function mapSequentially<T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  for (let i = 0; i < count; i++) all.push(await make(i));
  return all;
}
