import type { DecoderConfig, LayerOverrides } from "../models/decoder-config.js";

/** Adds fields to `layerOverrides`, layer by layer. Undefined fields are ignored. */
export function withOverrides(
  { numLayers = 0, layerOverrides }: Partial<DecoderConfig>,
  own: (layer: number) => { [K in keyof LayerOverrides]?: LayerOverrides[K] | undefined },
): Pick<DecoderConfig, "layerOverrides"> {
  const all = Array.from({ length: numLayers }, (_, i): LayerOverrides | undefined => {
    const fields = Object.entries({ ...layerOverrides?.[i], ...own(i) });
    const given = fields.filter(([, value]) => value !== undefined);
    return given.length === 0 ? undefined : (Object.fromEntries(given) as LayerOverrides);
  });
  return all.some(Boolean) ? { layerOverrides: all } : {};
}
