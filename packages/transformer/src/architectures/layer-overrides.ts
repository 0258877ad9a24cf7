import type { DecoderConfig, LayerOverrides } from "../models/decoder-config.js";

/** Adds fields to `layerOverrides`, layer by layer. Undefined fields are ignored. */
export function withOverrides(
  { numLayers = 0, layerOverrides }: Partial<DecoderConfig>,
  overrides: (layer: number) => { [K in keyof LayerOverrides]?: LayerOverrides[K] | undefined },
): Pick<DecoderConfig, "layerOverrides"> {
  const merged = Array.from({ length: numLayers }, (_, i): LayerOverrides | undefined => {
    const fields = Object.entries({ ...layerOverrides?.[i], ...overrides(i) });
    const defined = fields.filter(([, value]) => value !== undefined);
    return defined.length === 0 ? undefined : (Object.fromEntries(defined) as LayerOverrides);
  });
  return merged.some(Boolean) ? { layerOverrides: merged } : {};
}
