import type { DecoderConfig } from "./decoder-config.js";
import { cachedPartsPerLayer } from "./is-recurrent.js";

/** Bytes of float32 keys and values that a cache holds of so many tokens; states of recurrent layers, which do not grow, are not counted. */
export function cacheBytes(config: DecoderConfig, tokens: number): number {
  const { numKvHeads, headDim = config.embedDim / config.numHeads, latent } = config;
  const attending = cachedPartsPerLayer(config).filter((parts) => parts.includes("keyValues")).length;
  // A latent, which is held once, and the part of keys that rotates beside it.
  const numbers = latent ? latent.kvRank + latent.ropeDim : 2 * numKvHeads * headDim;
  return float32CacheBytes(numbers, attending, tokens);
}

/** Bytes of so many float32 numbers of each token in each layer. */
export const float32CacheBytes = (numbers: number, layers: number, tokens: number): number =>
  4 * tokens * layers * numbers;
