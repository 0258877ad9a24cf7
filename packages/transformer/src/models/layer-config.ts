import type { DecoderConfig, LayerOverrides } from "./decoder-config.js";

/** Names of fields that may differ between layers. */
export const layerFields = /* @__PURE__ */ Object.keys({
  headDim: 0,
  numKvHeads: 0,
  hiddenDim: 0,
  activationSparsity: 0,
  ropeBase: 0,
  ropeDim: 0,
  ropeScaling: 0,
} satisfies Record<keyof LayerOverrides, 0>) as (keyof LayerOverrides)[];

/** The configuration of one layer: that of the model, with the overrides of the layer. */
export function layerConfig(config: DecoderConfig, layer: number): DecoderConfig {
  const overrides = Object.entries(config.layerOverrides?.[layer] ?? {}).filter(
    ([, value]) => value !== undefined,
  );
  return { ...config, ...Object.fromEntries(overrides) };
}
