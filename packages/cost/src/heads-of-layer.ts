import type { Config } from "./config-fields.js";

/** Head sizes of one layer that differ from the model's: from `per_layer_config`, or `global_head_dim` of full layers (Gemma 4). */
export function headsOfLayer(config: Config, layer: number): { numKvHeads?: number; headDim?: number } {
  const listed = config["per_layer_config"] as Readonly<Record<string, unknown>> | null | undefined;
  const isFull = (config["layer_types"] as unknown[] | undefined)?.[layer] === "full_attention";
  const fullLayerFields = isFull ? { head_dim: config["global_head_dim"] } : {};
  const overrides = (listed ? listed[layer] : fullLayerFields) as
    Readonly<Record<string, unknown>> | null | undefined;
  const { head_dim: headDim, num_key_value_heads: numKvHeads } = overrides ?? {};
  return {
    ...(typeof headDim === "number" && { headDim }),
    ...(typeof numKvHeads === "number" && { numKvHeads }),
  };
}
