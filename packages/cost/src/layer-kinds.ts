import type { Config, Fields } from "./config-fields.js";

/** The one part of a layer. */
type LayerPart = "mixer" | "attention" | "mlp" | "moe";

/** Parts by their names in a list, and by their letters in a text. */
const parts: Readonly<Record<string, LayerPart>> = {
  ...{ mamba: "mixer", linear_attention: "mixer", attention: "attention", full_attention: "attention" },
  ...{ mlp: "mlp", moe: "moe", M: "mixer", "*": "attention", "-": "mlp", E: "moe" },
};

/** Names or letters of a configuration whose layers are one part each; `null` without them. */
function kindsOf(config: Config): readonly unknown[] | null {
  const [list, text] = [config["layers_block_type"], config["hybrid_override_pattern"]];
  if (Array.isArray(list)) return list as unknown[];
  return typeof text === "string" ? [...text] : null;
}

/** A configuration with the number of its layers, which those that list their parts may leave out. */
export function withLayerCount(config: Config): Config {
  const kinds = config["num_hidden_layers"] === undefined ? kindsOf(config) : null;
  return kinds ? { ...config, num_hidden_layers: kinds.length } : config;
}

/** The part that a layer is. */
export function layerPart({ config, refuse }: Fields, layer: number): LayerPart {
  const kind = kindsOf(config)?.[layer];
  const name = Array.isArray(config["layers_block_type"]) ? "layers_block_type" : "hybrid_override_pattern";
  if (typeof kind === "string" && Object.hasOwn(parts, kind)) return parts[kind]!;
  return refuse(`${name}[${layer}]`, kind, `one of ${Object.keys(parts).join(", ")}`);
}
