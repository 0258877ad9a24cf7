import type { Config } from "./config-fields.js";

/** Heads of one layer, where layers differ: as `per_layer_config` lists them, or larger ones in full layers (Gemma 4). */
export function headsOfLayer(config: Config, layer: number): { numKvHeads?: number; headDim?: number } {
  const listed = config["per_layer_config"] as Readonly<Record<string, unknown>> | null | undefined;
  const isFull = (config["layer_types"] as unknown[] | undefined)?.[layer] === "full_attention";
  const all = isFull ? { head_dim: config["global_head_dim"] } : {};
  const own = (listed ? listed[layer] : all) as Readonly<Record<string, unknown>> | null | undefined;
  const { head_dim: headDim, num_key_value_heads: numKvHeads } = own ?? {};
  return {
    ...(typeof headDim === "number" && { headDim }),
    ...(typeof numKvHeads === "number" && { numKvHeads }),
  };
}
