import type { LinearParams } from "@qkv/attention";
import type { DecoderConfig } from "../models/decoder-config.js";
import type { DecoderParams } from "../models/decoder.js";
import { isHybrid } from "../models/is-recurrent.js";

/** The projections with biases, from the first layer with attention and the first with a feed-forward layer. */
export function storedBiases(
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
    // In latent attention, the projections of the layer input have biases.
    queryKeyValue: has((attention as { latent?: LinearParams } | undefined)?.latent ?? attention?.query),
    attentionOutput: has(attention?.output),
    feedForward: has(inner?.up),
  };
}

/** `bias` of a configuration, from the weights; undefined without biases. */
export function storedBias(
  config: Pick<DecoderConfig, "layerTypes">,
  params: DecoderParams,
): DecoderConfig["bias"] | undefined {
  const bias = storedBiases(config, params);
  return Object.values(bias).some(Boolean) ? bias : undefined;
}
