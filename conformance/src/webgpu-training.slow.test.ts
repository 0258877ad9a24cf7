// Gradients and 50 training steps on the WebGPU device, with Node's default adapter, compared with the plain device.
import { mapTensors, tensorsOf, valueAndGrad, js, type Device } from "@qkv/tensor";
import { adamW } from "@qkv/tensor/optimizers";
import { decoder, type DecoderConfig } from "@qkv/transformer";
import { nextTokenBatches, tokenLoss, train } from "@qkv/transformer/training";
import { webgpu, type WebGpuDevice } from "@qkv/webgpu";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { create } from "webgpu";

/** Keeps the GPU referenced during the tests: the process ends when it is garbage-collected. */
const gpu = create([]);
const tolerance = 2e-4;
const steps = 50;

const { settings, text, runs } = JSON.parse(
  readFileSync(new URL("../references/training-losses.json", import.meta.url), "utf8"),
) as {
  settings: {
    order: { batchSize: number; contextLength: number; seed: number };
    learningRate: number;
    weightDecay: number;
    maxNorm: number;
    seed: number;
  };
  text: number[];
  runs: Record<string, { config: DecoderConfig }>;
};
const configs: Record<string, DecoderConfig> = {
  ...Object.fromEntries(Object.entries(runs).map(([name, { config }]) => [name, config])),
  "llama with experts": {
    ...runs["llama"]!.config,
    numLayers: 1,
    experts: { numExperts: 4, expertsPerToken: 2 },
  },
};

describe.skipIf(!(await gpu.requestAdapter())).each(Object.entries(configs))("%s on webgpu", (_, config) => {
  let device: WebGpuDevice;
  beforeAll(async () => (device = await webgpu({ gpu })), 300_000);
  afterAll(() => device.close());
  const model = decoder(config);
  const opened = (device: Device) => ({
    params: mapTensors(model.init(settings.seed), (x) => x.to(device)),
    batchAt: nextTokenBatches(text, { ...settings.order, device }),
  });

  test("the gradient of the first batch", async () => {
    const gradients = (device: Device) =>
      device.scope(() => {
        const { params, batchAt } = opened(device);
        return tensorsOf(valueAndGrad(tokenLoss(model))(params, batchAt(0))[1]);
      });
    const right = gradients(js()).map(({ data }) => data as Float32Array);
    const largest = Math.max(
      ...right.map((numbers) => numbers.reduce((a, b) => Math.max(a, Math.abs(b)), 0)),
    );
    const ours = gradients(device);
    expect(ours).toHaveLength(right.length);
    for (const [i, own] of ours.entries())
      expect(await own.read()).toBeAllclose(right[i]!, { rtol: 0, atol: tolerance * largest });
  });

  test("the losses of 50 steps", async () => {
    const losses = async (device: Device) => {
      const found: number[] = [];
      const { learningRate, weightDecay, maxNorm } = settings;
      const optimizer = adamW({ learningRate, weightDecay });
      const run = train({ ...opened(device), loss: tokenLoss(model), optimizer, maxNorm, steps });
      for await (const { loss } of run) found.push(loss);
      return found;
    };
    const right = await losses(js());
    expect(right).toHaveLength(steps);
    expect(right.at(-1)!).toBeLessThan(0.9 * right[0]!);
    expect(await losses(device)).toBeAllclose(right, { rtol: 0, atol: tolerance });
  });
});
