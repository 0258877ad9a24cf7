// PyTorch's losses for the same training runs; conformance/references has the scripts.
import { js, mapTensors, type Device } from "@qkv/tensor";
import { adamW } from "@qkv/tensor/optimizers";
import { decoder, type DecoderConfig } from "@qkv/transformer";
import { nextTokenBatches, tokenLoss, train } from "@qkv/transformer/training";
import { wasm } from "@qkv/wasm";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { casesByTier } from "../../scripts/tier.mjs";

const { settings, text, runs } = JSON.parse(
  readFileSync(new URL("../references/training-losses.json", import.meta.url), "utf8"),
) as {
  settings: {
    steps: number;
    order: { batchSize: number; contextLength: number; seed: number };
    learningRate: number;
    weightDecay: number;
    maxNorm: number;
    seed: number;
  };
  text: number[];
  runs: Record<string, { config: DecoderConfig; losses: number[] }>;
};

const devices: [string, () => Device | Promise<Device>][] = [
  ["js", () => js()],
  ["wasm", () => wasm()],
  ["wasm on two threads", () => wasm({ threads: 2 })],
];

describe.each(casesByTier(Object.entries(runs), ([name]) => name === "llama"))(
  "%s",
  (_, { config, losses }) => {
    test.each(casesByTier(devices, ([name]) => name === "wasm"))(
      "the same model, order and seed give PyTorch's losses on %s",
      async (_, open) => {
        const device = await open();
        const { learningRate, weightDecay } = settings;
        const model = decoder(config);
        const run = train({
          params: mapTensors(model.init(settings.seed), (x) => x.to(device)),
          loss: tokenLoss(model),
          optimizer: adamW({ learningRate, weightDecay }),
          maxNorm: settings.maxNorm,
          batchAt: nextTokenBatches(text, { ...settings.order, device }),
          steps: settings.steps,
        });
        expect(losses.at(-1)!).toBeLessThan(losses[0]! * 0.5);
        for await (const { step, loss } of run) {
          const tolerance = { rtol: 0, atol: step <= 50 ? 1e-4 : 2e-3 };
          expect([loss], `step ${step}`).toBeAllclose([losses[step - 1]!], tolerance);
        }
      },
    );
  },
);
