// Trained models on the WebGPU device, with Node's default adapter: the greedy tokens equal the plain device's.
import { modelTiny } from "@qkv/model-tiny";
import type { Device } from "@qkv/tensor";
import { generate, load, type Model } from "@qkv/transformer";
import { webgpu, type WebGpuDevice } from "@qkv/webgpu";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { create } from "webgpu";
import { referenceData } from "../reference-data.mjs";

/** Keeps the GPU referenced during the tests: the process ends when it is garbage-collected. */
const gpu = create([]);

const models: Record<string, (device?: Device) => Promise<Model>> = {
  async stories260K(device) {
    const path = (name: string) => referenceData.path(`models/stories260K/${name}`);
    return load(path("stories260K.bin"), { tokenizer: path("tok512.bin"), ...(device && { device }) });
  },
  modelTiny: async (device) => load(await modelTiny(), { ...(device && { device }) }),
};

describe.skipIf(!(await gpu.requestAdapter()))("webgpu", () => {
  let device: WebGpuDevice;
  beforeAll(async () => (device = await webgpu({ gpu })), 300_000);
  afterAll(() => device.close());

  test.each(Object.keys(models))("greedy tokens of %s", async (name) => {
    const tokens = async (model: Model) => {
      const ids: number[] = [];
      for await (const { id } of generate(model, "Once upon a time", { maxTokens: 40 })) ids.push(id);
      return ids;
    };
    const right = await tokens(await models[name]!());
    expect(await tokens(await models[name]!(device))).toEqual(right);
    expect(right).toHaveLength(40);
  });
});
