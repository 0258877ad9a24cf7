import type { LinearParams } from "@qkv/attention";
import type { DecoderConfig } from "../models/decoder-config.js";
import type { DecoderParams } from "../models/decoder.js";

/** Biases that the weights of a model have. */
export function storedBias(params: DecoderParams): DecoderConfig["bias"] | undefined {
  const { attention, feedForward } = params.layers[0] ?? {};
  const inner = feedForward && ("router" in feedForward ? feedForward.experts[0] : feedForward);
  const has = (map: LinearParams | undefined) => map?.bias !== undefined;
  const bias = {
    // Of latent attention, the maps from x have biases.
    queryKeyValue: has((attention as { latent?: LinearParams } | undefined)?.latent ?? attention?.query),
    attentionOutput: has(attention?.output),
    feedForward: has(inner?.up),
  };
  return Object.values(bias).some(Boolean) ? bias : undefined;
}
