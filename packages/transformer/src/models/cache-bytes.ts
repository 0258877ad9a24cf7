import type { DecoderConfig } from "./decoder-config.js";
import { cachedPartsOfLayers } from "./is-recurrent.js";

/** Bytes of float32 keys and values that a cache holds of so many tokens; states of recurrent layers, which do not grow, are not counted. */
export function cacheBytes(config: DecoderConfig, tokens: number): number {
  const { numKvHeads, headDim = config.embedDim / config.numHeads, latent } = config;
  const attending = cachedPartsOfLayers(config).filter((parts) => parts.includes("keyValues")).length;
  // A latent, which is held once, and the part of keys that rotates beside it.
  const numbers = latent ? latent.kvRank + latent.ropeDim : 2 * numKvHeads * headDim;
  return cacheBytesOf(numbers, attending, tokens);
}

/** Bytes of so many float32 numbers of each token in each layer. */
export const cacheBytesOf = (numbers: number, layers: number, tokens: number): number =>
  4 * tokens * layers * numbers;
