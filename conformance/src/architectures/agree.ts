import { js, slice, type Device } from "@qkv/tensor";
import { cacheFor, load, type Model } from "@qkv/transformer";
import { exportModel, memoryFolder } from "@qkv/transformer/export";
import { wasm } from "@qkv/wasm";
import { expect } from "vitest";
import "@qkv/test-support/allclose";
import { writeCheckpoint, type RandomWeights } from "./random-checkpoint.js";
import type { Rows } from "./reference.js";

/** The devices on which every architecture is compared with its float64 reference. */
export const devices = async (): Promise<Device[]> => [js(), await wasm()];

export const ids = [3, 14, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9];

/** Tolerance of logits in float32. */
export const logitTolerance = { rtol: 0, atol: 1e-4 };

/**
 * Loads a checkpoint on each device and compares its logits with the reference: in one pass, and token by token with a
 * cache.
 */
export async function expectAgreement(folder: string, logits: Rows): Promise<Model> {
  let first: Model | undefined;
  for (const device of await devices()) {
    const model = await load(folder, { device });
    first ??= model;
    const whole = model.apply(model.params, ids);
    expect(whole.data).toBeAllclose(logits.flat(), logitTolerance);
    const cache = cacheFor(model.config);
    const start = model.apply(model.params, ids.slice(0, 5), { cache });
    expect(start.data).toBeAllclose(logits.slice(0, 5).flat(), logitTolerance);
    for (let t = 5; t < ids.length; t++) {
      const step = model.apply(model.params, ids.slice(t, t + 1), { cache });
      expect(slice(step, 1, -1).data).toBeAllclose(logits[t]!, logitTolerance);
    }
  }
  return first!;
}

/** Expects that a checkpoint agrees with the reference, and survives an export under its own name unchanged. */
export async function expectWritten(
  config: Record<string, unknown>,
  w: RandomWeights,
  logits: Rows,
  written = config["model_type"],
): Promise<Model> {
  const model = await expectAgreement(await writeCheckpoint(config, w.tensors), logits);
  const { files, ...out } = memoryFolder();
  await exportModel(model, { to: "hf", out });
  const json = JSON.parse(await files.find(({ name }) => name === "config.json")!.text()) as object;
  expect(json).toHaveProperty("model_type", written);
  const back = await load(files);
  expect(back.apply(back.params, ids).data).toBeAllclose(logits.flat(), logitTolerance);
  return model;
}
