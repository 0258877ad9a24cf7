import type { Mask } from "@qkv/attention-contract";
import { and } from "../masks/and.js";

/**
 * Returns a function that combines the mask of a layer with that of a call. For the same mask of a call it returns the same
 * combination, so that the layers of a model share one tile plan.
 */
export function joinedMasks(layer: Mask | undefined): (call: Mask | undefined) => Mask | undefined {
  const joined = new WeakMap<Mask, Mask>();
  return (call) => {
    if (!call || !layer) return call ?? layer;
    const both = joined.get(call) ?? and(layer, call);
    joined.set(call, both);
    return both;
  };
}
