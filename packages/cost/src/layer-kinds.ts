import type { Config, Fields } from "./config-fields.js";

/** The part that a layer of a model such as Nemotron-H consists of. */
type LayerPart = "mixer" | "attention" | "mlp" | "moe";

/** Parts by their names in `layers_block_type`, and by their letters in `hybrid_override_pattern`. */
const parts: Readonly<Record<string, Readonly<Record<string, LayerPart>>>> = {
  layers_block_type: {
    ...{ mamba: "mixer", linear_attention: "mixer", attention: "attention", full_attention: "attention" },
    ...{ mlp: "mlp", moe: "moe" },
  },
  hybrid_override_pattern: { M: "mixer", "*": "attention", "-": "mlp", E: "moe" },
};

/** Names or letters of all layers; `null` if the configuration has none. */
function layerKinds(config: Config): readonly unknown[] | null {
  const [list, text] = [config["layers_block_type"], config["hybrid_override_pattern"]];
  if (Array.isArray(list)) return list as unknown[];
  return typeof text === "string" ? [...text] : null;
}

/** Adds `num_hidden_layers`, which a configuration that lists its layers may omit. */
export function withLayerCount(config: Config): Config {
  const kinds = config["num_hidden_layers"] === undefined ? layerKinds(config) : null;
  return kinds ? { ...config, num_hidden_layers: kinds.length } : config;
}

/** The part that a layer is. */
export function layerPart({ config, refuse }: Fields, layer: number): LayerPart {
  const kind = layerKinds(config)?.[layer];
  const name = Array.isArray(config["layers_block_type"]) ? "layers_block_type" : "hybrid_override_pattern";
  const known = parts[name]!;
  if (typeof kind === "string" && Object.hasOwn(known, kind)) return known[kind]!;
  return refuse(`${name}[${layer}]`, kind, `one of ${Object.keys(known).join(", ")}`);
}
