import type { MixerLayerConfig } from "@qkv/attention";
import type { DecoderConfig, LayerType } from "../models/decoder-config.js";
import { isHybrid } from "../models/is-recurrent.js";
import type { ConfigFields } from "./config-fields.js";

/** Layer types of `DecoderConfig` by their names in files. `mixer`: the mixer of the architecture. */
const names: Readonly<Record<string, "full" | "sliding" | "mixer">> = {
  full_attention: "full",
  attention: "full",
  sliding_attention: "sliding",
  linear_attention: "mixer",
  mamba: "mixer",
  conv: "mixer",
};

/** Layer types of a hybrid architecture: attention, or its mixer. Undefined if the file does not list them. */
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
    return fields.unsupported(name, `a list of ${Object.keys(names).join(", ")}`);
  });
}

/** Configuration of the mixer of a model; undefined if no layer has one. */
export function mixerConfig({ layerTypes = [] }: DecoderConfig): MixerLayerConfig | undefined {
  const mixers = layerTypes.flatMap((type) =>
    isHybrid(type) ? [type.mixer] : typeof type === "object" ? [type] : [],
  );
  return (mixers[0] as { config?: MixerLayerConfig } | undefined)?.config;
}

/** True if a layer is a mixer without attention. */
export const isMixer = (type: LayerType | undefined): boolean => typeof type === "object" && !isHybrid(type);
