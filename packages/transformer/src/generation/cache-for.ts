import { checks } from "@qkv/core";
import { growingCache, latentCache, mixedCache, stateCache, type KvCache } from "@qkv/kv-cache";
import type { CrossDecoderConfig } from "../models/cross-decoder.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import { cachedPartsPerLayer, isHybrid, isRecurrent } from "../models/is-recurrent.js";

/**
 * Creates a cache for a decoder: keys and values of layers with attention, states of recurrent layers, and the
 * layers of byte patches. They change, fork and roll back together. Latent attention stores only latents; layers that
 * reuse keys and values of others store none. For an encoder–decoder, it holds the tokens of the decoder; `sourceCache` adds the
 * encoded source.
 *
 * @param options - `checkpoints`: number of earlier states of recurrent layers to which `crop` can return. Default 1, to undo a failed step.
 *
 * @throws {ArgumentError} If the argument is not a configuration.
 *
 * @example
 * ```ts
 * import { linearAttention, mixerLayer } from "@qkv/attention";
 * import { cacheFor, decoder } from "@qkv/transformer";
 *
 * const recurrent = mixerLayer({ embedDim: 8, numHeads: 2, mixer: linearAttention() });
 * const { config, init, apply } = decoder({
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [], layerTypes: [recurrent, "full"],
 * });
 * const cache = cacheFor(config);
 * apply(init(1), [3, 1, 4], { cache });
 * [cache.length, cache.state(0)?.state?.shape]; // => [3, [1, 2, 4, 4]]
 * ```
 */
export function cacheFor(
  config: DecoderConfig | CrossDecoderConfig,
  options?: { checkpoints?: number },
): KvCache {
  const check = checks("cacheFor");
  const fix = "give the configuration of a decoder: `model.config`.";
  const isConfig = (value: unknown) => {
    const { numLayers, layerTypes } = (value ?? {}) as Partial<DecoderConfig>;
    return Number.isInteger(numLayers) && (layerTypes === undefined || layerTypes.length === numLayers);
  };
  check.each({ config }, isConfig, "a configuration, with numLayers and as many layerTypes", fix);
  check.options(options, ["checkpoints"]);
  if ("startIds" in config) return growingCache({ numLayers: Math.max(config.numLayers, 1) });
  if (config.bytePatches) return config.bytePatches.cache(config);
  const { layerTypes, latent } = config;
  const parts = cachedPartsPerLayer(config).flat();
  const numStates = parts.filter((part) => part === "state").length;
  // A custom layer may need keys instead of latents.
  const hasCustomLayers =
    layerTypes?.some((type) => typeof type === "object" && !isHybrid(type) && !isRecurrent(type)) ?? false;
  const growing = (numLayers: number) =>
    latent && !hasCustomLayers
      ? latentCache({ latentDim: latent.kvRank, numLayers })
      : growingCache({ numLayers });
  if (numStates === 0) return growing(Math.max(parts.length, 1));
  const states = stateCache({ numLayers: numStates, ...options });
  if (numStates === parts.length) return states;
  const keyValues = growing(parts.length - numStates);
  return mixedCache(parts.map((part) => (part === "state" ? states : keyValues)));
}
