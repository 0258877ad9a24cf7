import type { EncoderDecoderConfig } from "../models/encoder-decoder.js";
import type { SoundConvolutionConfig } from "../models/sound-convolutions.js";

/** Defaults in configurations of layers and convolutions. */
const defaults: Partial<EncoderDecoderConfig & SoundConvolutionConfig> = {
  norm: "layer",
  normEps: 1e-5,
  placement: "post",
  embeddingNorm: false,
  activation: "gelu",
  gated: false,
  bias: true,
  positions: "learned",
  padId: 0,
  logitScale: 1,
  stride: 1,
  padding: 0,
  groupNorm: false,
};

/** True for equal fields in any order, with defaults for undefined ones. */
export function isSameStack(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const at = (value: object, key: string) =>
    (value as Record<string, unknown>)[key] ?? (defaults as Record<string, unknown>)[key];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => isSameStack(at(a, key), at(b, key)));
}
