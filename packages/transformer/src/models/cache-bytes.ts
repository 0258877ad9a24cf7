import type { DecoderConfig } from "./decoder-config.js";
import { cachedPartsPerLayer } from "./is-recurrent.js";

/** Bytes of the float32 keys and values of a number of tokens in a cache. States of recurrent layers are not included, as they do not grow. */
export function cacheBytes(config: DecoderConfig, tokens: number): number {
  const { numKvHeads, headDim = config.embedDim / config.numHeads, latent } = config;
  const numCacheLayers = cachedPartsPerLayer(config).filter((parts) => parts.includes("keyValues")).length;
  // The latent and the rotary key, each stored once.
  const elementsPerToken = latent ? latent.kvRank + latent.ropeDim : 2 * numKvHeads * headDim;
  return float32CacheBytes(elementsPerToken, numCacheLayers, tokens);
}

/** Bytes of float32 elements in a cache, with `elements` per token and layer. */
export const float32CacheBytes = (elements: number, layers: number, tokens: number): number =>
  4 * tokens * layers * elements;
