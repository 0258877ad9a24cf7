import type { MixerLayerConfig } from "@qkv/attention";
import type { DecoderConfig, LayerType } from "../models/decoder-config.js";
import { isHybrid } from "../models/is-recurrent.js";
import type { ConfigFields } from "./config-fields.js";

/** Names of layer types in files, by those here; `mixer`: the architecture's own mixer. */
const names: Readonly<Record<string, "full" | "sliding" | "mixer">> = {
  full_attention: "full",
  attention: "full",
  sliding_attention: "sliding",
  linear_attention: "mixer",
  mamba: "mixer",
  conv: "mixer",
};

/** Types of layers, where some are attention and some the architecture's mixer; undefined where a file lists none. */
export function mixedTypes(
  fields: ConfigFields,
  numLayers: number,
  name = "layer_types",
): readonly ("full" | "sliding" | "mixer")[] | undefined {
  const types = fields.list(name);
  if (types === undefined) return undefined;
  if (types.length !== numLayers)
    return fields.refuse(name, `a list of ${numLayers}, as num_hidden_layers says`);
  return types.map((type) => {
    if (typeof type === "string" && Object.hasOwn(names, type)) return names[type]!;
    return fields.refuse(name, `a list of ${Object.keys(names).join(", ")}`);
  });
}

/** Configuration of the mixer that layers of a model have; undefined where none has one. */
export function mixerOf({ layerTypes = [] }: DecoderConfig): MixerLayerConfig | undefined {
  const mixers = layerTypes.flatMap((type) =>
    isHybrid(type) ? [type.mixer] : typeof type === "object" ? [type] : [],
  );
  return (mixers[0] as { config?: MixerLayerConfig } | undefined)?.config;
}

/** True where a layer is a mixer, and has no attention. */
export const isMixer = (type: LayerType | undefined): boolean => typeof type === "object" && !isHybrid(type);
