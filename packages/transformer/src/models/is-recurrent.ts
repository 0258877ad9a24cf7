import type { DecoderConfig, HybridLayer, LayerType } from "./decoder-config.js";

/** Tells layers with a state alone from those that attend. */
export const isRecurrent = (type: LayerType): boolean =>
  typeof type === "object" && !isHybrid(type) && type.recurrent === true;

/** Tells layers with attention and a mixer beside each other. */
export const isHybrid = (type: LayerType): type is HybridLayer =>
  typeof type === "object" && "mixer" in type && "attention" in type;

/** Parts of a cache that a layer fills, in order. */
export function cachedParts(type: LayerType): readonly ("keyValues" | "state")[] {
  if (type === "none") return [];
  if (isHybrid(type)) return ["keyValues", ...cachedParts(type.mixer)];
  return [isRecurrent(type) ? "state" : "keyValues"];
}

/** Tells layers that hold a state, alone or beside keys and values. */
export const holdsState = (type: LayerType): boolean => cachedParts(type).includes("state");

type Layers = Partial<
  Pick<DecoderConfig, "numLayers" | "layerTypes" | "feedForwardLayers" | "sharedKeyValues">
>;

/**
 * Parts of a cache that each layer of a model fills: those of its attention, unless it reads those of another layer, then the
 * state of its feed-forward layer.
 */
export function cachedPartsOfLayers({
  layerTypes,
  feedForwardLayers,
  sharedKeyValues,
  numLayers = layerTypes?.length ?? 0,
}: Layers): readonly (readonly ("keyValues" | "state")[])[] {
  return Array.from({ length: numLayers }, (_, i) => {
    const feedForward = feedForwardLayers?.[i];
    const parts = (sharedKeyValues?.[i] ?? i) === i ? cachedParts(layerTypes?.[i] ?? "full") : [];
    return typeof feedForward === "object" && feedForward.recurrent ? [...parts, "state"] : parts;
  });
}

/** Tells models of which some layers hold a state. */
export const holdsStates = (layers: Layers): boolean => cachedPartsOfLayers(layers).flat().includes("state");
