import { growingCache } from "@qkv/kv-cache";
import { js, slice, type Device } from "@qkv/tensor";
import { load, type Model } from "@qkv/transformer";
import { wasm } from "@qkv/wasm";
import { expect } from "vitest";
import type { Rows } from "./reference.js";

/** The devices that every architecture is held against its spelling on. */
export const devices = async (): Promise<Device[]> => [js(), await wasm()];

export const ids = [3, 14, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9];

/** The largest distance between numbers of ours and those spelled out. */
export function distance(ours: ArrayLike<number>, reference: Rows): number {
  const flat = reference.flat();
  expect(ours.length).toBe(flat.length);
  return flat.reduce((most, x, i) => Math.max(most, Math.abs(x - ours[i]!)), 0);
}

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
    expect(distance(whole.data, logits)).toBeLessThan(1e-4);
    const cache = growingCache({ numLayers: model.config.numLayers });
    const start = model.apply(model.params, ids.slice(0, 5), { cache });
    expect(distance(start.data, logits.slice(0, 5))).toBeLessThan(1e-4);
    for (let t = 5; t < ids.length; t++) {
      const step = model.apply(model.params, ids.slice(t, t + 1), { cache });
      expect(distance(slice(step, 1, -1).data, logits.slice(t, t + 1))).toBeLessThan(1e-4);
    }
  }
  return first!;
}
