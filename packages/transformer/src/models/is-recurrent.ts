import type { DecoderConfig, HybridLayer, LayerType } from "./decoder-config.js";

/** True for layers that hold a recurrent state and do not attend. */
export const isRecurrent = (type: LayerType): boolean =>
  typeof type === "object" && !isHybrid(type) && type.recurrent === true;

/** True for layers with attention and a mixer in parallel. */
export const isHybrid = (type: LayerType): type is HybridLayer =>
  typeof type === "object" && "mixer" in type && "attention" in type;

/** The kinds of cache layers that a layer fills, in order. */
export function cachedParts(type: LayerType): readonly ("keyValues" | "state")[] {
  if (type === "none") return [];
  if (isHybrid(type)) return ["keyValues", ...cachedParts(type.mixer)];
  return [isRecurrent(type) ? "state" : "keyValues"];
}

/** True for layers with a recurrent state, with or without keys and values. */
export const holdsState = (type: LayerType): boolean => cachedParts(type).includes("state");

type Layers = Partial<
  Pick<DecoderConfig, "numLayers" | "layerTypes" | "feedForwardLayers" | "sharedKeyValues">
>;

/**
 * The kinds of cache layers that each layer of a model fills: first for attention, unless it reuses keys and values, then for the
 * state of its feed-forward layer.
 */
export function cachedPartsPerLayer({
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

/** True for models with a layer that has a recurrent state. */
export const holdsStates = (layers: Layers): boolean => cachedPartsPerLayer(layers).flat().includes("state");
