import type { DecoderConfig } from "../../models/decoder-config.js";

/**
 * After how many layers one sees everything: 6 is five that slide and a full one, 1 all full, 0 all sliding. Undefined
 * where layers are arranged otherwise.
 */
export function slidingPeriod(types: DecoderConfig["layerTypes"], numLayers: number): number | undefined {
  const slides = Array.from({ length: numLayers }, (_, i) => types?.[i] === "sliding");
  const period = slides.indexOf(false) + 1;
  const fits = slides.every((one, i) => one === (period === 0 || i % period < period - 1));
  return fits ? period : undefined;
}
