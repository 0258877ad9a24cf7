import type { AttentionRequest, View } from "@qkv/tensor";
import { withCall } from "../call.js";
import type { Engine } from "../engine.js";
import { writeRequest } from "./attention-request.js";

/**
 * Fused attention over the tiles of a plan. Keys and values are read in place; only rows that do not lie one number
 * after the other, tiles that reach over two parts, and values whose size is no multiple of 8 are copied, a tile at a
 * time. Expressions, sinks and traces run on the plain device, and so does a call that meets a number that is none.
 */
export function attentionKernel(engine: Engine) {
  return (
    inputs: readonly View[],
    outputs: readonly View[],
    request: AttentionRequest & { want: readonly string[] },
  ): boolean => {
    const { parts, plan, scoreMod, weightMod, hasSinks, want } = request;
    const query = inputs[0]!;
    // Blocks run on the plain kernel, in place.
    if (request.layouts) return false;
    if (query.dtype !== "float32" || scoreMod || weightMod || hasSinks || want.length > 0) return false;
    const keys = inputs.slice(1, 1 + parts);
    const values = inputs.slice(1 + parts, 1 + 2 * parts);
    const [B, H, T, D] = query.shape as [number, number, number, number];
    const Dv = values[0]!.shape[3]!;
    const S = keys.reduce((sum, { shape }) => sum + shape[2]!, 0);
    if (B * H * T * D * Dv * S === 0 || plan.queryTile !== 64 || plan.keyTile !== 64) return false;
    return withCall(engine, (call) => {
      const pointers = call.place(inputs.slice(0, 1 + 2 * parts), outputs);
      const at = writeRequest(call, query, keys, values, pointers, request);
      const scratch = engine.exports["attentionForwardScratch"]!(D, Dv);
      return engine.parallel("attentionForward", B * H * plan.rows, scratch, at);
    });
  };
}
