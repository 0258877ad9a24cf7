import type { LinearParams } from "@qkv/attention";
import type { DecoderConfig } from "../models/decoder-config.js";
import type { DecoderParams } from "../models/decoder.js";
import { isHybrid } from "../models/is-recurrent.js";

/** Tells which maps of a model have biases, by its first layers with attention and with a feed-forward layer. */
export function biasesOf(
  { layerTypes }: Pick<DecoderConfig, "layerTypes">,
  { layers }: DecoderParams,
): Required<NonNullable<DecoderConfig["bias"]>> {
  const attends = (i: number) => {
    const type = layerTypes?.[i] ?? "full";
    return type !== "none" && (typeof type !== "object" || isHybrid(type));
  };
  const attention = layers.find((_, i) => attends(i))?.attention;
  const feedForward = layers.find((layer) => layer.feedForward as unknown)?.feedForward;
  const inner = feedForward && ("router" in feedForward ? feedForward.experts[0] : feedForward);
  const has = (map: LinearParams | undefined) => map?.bias !== undefined;
  return {
    // Of latent attention, the maps from x have biases.
    queryKeyValue: has((attention as { latent?: LinearParams } | undefined)?.latent ?? attention?.query),
    attentionOutput: has(attention?.output),
    feedForward: has(inner?.up),
  };
}

/** Biases that the weights of a model have; undefined where there are none. */
export function storedBias(
  config: Pick<DecoderConfig, "layerTypes">,
  params: DecoderParams,
): DecoderConfig["bias"] | undefined {
  const bias = biasesOf(config, params);
  return Object.values(bias).some(Boolean) ? bias : undefined;
}
