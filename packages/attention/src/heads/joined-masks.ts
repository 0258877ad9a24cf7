import type { Mask } from "@qkv/attention-contract";
import { and } from "../masks/and.js";

/**
 * The mask of a layer with that of a call, one mask for each that calls bring, so that layers of one call share its plan.
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
