import { growingCache } from "@qkv/kv-cache";
import { js, slice, type Device } from "@qkv/tensor";
import { load, type Model } from "@qkv/transformer";
import { wasm } from "@qkv/wasm";
import { expect } from "vitest";
import "@qkv/test-support/allclose";
import type { Rows } from "./reference.js";

/** The devices that every architecture is held against its spelling on. */
export const devices = async (): Promise<Device[]> => [js(), await wasm()];

export const ids = [3, 14, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9];

/** Tolerance of logits in float32. */
export const logitTolerance = { rtol: 0, atol: 1e-4 };

/**
 * Loads a checkpoint on each device and holds its logits against those spelled out: in one pass, and token by token
 * with a cache.
 */
export async function expectAgreement(folder: string, logits: Rows): Promise<Model> {
  let first: Model | undefined;
  for (const device of await devices()) {
    const model = await load(folder, { device });
    first ??= model;
    const whole = model.apply(model.params, ids);
    expect(whole.data).toBeAllclose(logits.flat(), logitTolerance);
    const cache = growingCache({ numLayers: model.config.numLayers });
    const start = model.apply(model.params, ids.slice(0, 5), { cache });
    expect(start.data).toBeAllclose(logits.slice(0, 5).flat(), logitTolerance);
    for (let t = 5; t < ids.length; t++) {
      const step = model.apply(model.params, ids.slice(t, t + 1), { cache });
      expect(slice(step, 1, -1).data).toBeAllclose(logits[t]!, logitTolerance);
    }
  }
  return first!;
}
