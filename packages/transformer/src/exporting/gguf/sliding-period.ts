import type { DecoderConfig } from "../../models/decoder-config.js";

/**
 * The period of full layers: 6 means five sliding-window layers and a full one, 1 all full, 0 all sliding. Undefined
 * for other orders.
 */
export function slidingPeriod(types: DecoderConfig["layerTypes"], numLayers: number): number | undefined {
  const isSliding = Array.from({ length: numLayers }, (_, i) => types?.[i] === "sliding");
  const period = isSliding.indexOf(false) + 1;
  const fits = isSliding.every((slides, i) => slides === (period === 0 || i % period < period - 1));
  return fits ? period : undefined;
}
