import { mapTensors, type Device } from "@qkv/tensor";
import { adamW } from "@qkv/tensor/optimizers";
import { decoder } from "@qkv/transformer";
import { nextTokenBatches, tokenLoss, train } from "@qkv/transformer/training";
import { wasm } from "@qkv/wasm";
import { expect, test } from "vitest";

const model = decoder({
  vocabSize: 29,
  embedDim: 32,
  hiddenDim: 64,
  numLayers: 2,
  numHeads: 4,
  numKvHeads: 2,
  contextLength: 24,
  normEps: 1e-5,
  stopIds: [],
});
const text = Array.from({ length: 2000 }, (_, i) => (i * i + (i >> 3)) % 29);

async function losses(steps: number, device?: Device): Promise<number[]> {
  const params = mapTensors(model.init(2), (x) => (device ? x.to(device) : x));
  const batchAt = nextTokenBatches(text, {
    batchSize: 4,
    contextLength: 24,
    seed: 1,
    ...(device && { device }),
  });
  const optimizer = adamW({ learningRate: 0.003 });
  const found: number[] = [];
  for await (const { loss } of train({
    params,
    loss: tokenLoss(model),
    optimizer,
    batchAt,
    steps,
    maxNorm: 1,
  }))
    found.push(loss);
  return found;
}

test("the same model, order and seed give the same losses on js and wasm", async () => {
  const plain = await losses(200);
  const device = await wasm();
  const fast = await losses(200, device);
  expect(plain[199]!).toBeLessThan(plain[0]! * 0.8);
  plain.forEach((loss, step) => {
    expect(Math.abs(loss - fast[step]!), `step ${step}`).toBeLessThan(step < 50 ? 1e-4 : 2e-3);
  });
});
