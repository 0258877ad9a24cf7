import { decoder, type DecoderConfig } from "@qkv/transformer";
import { mapTensors, type Tensor } from "@qkv/tensor";
import { wasm } from "@qkv/wasm";
import { expect, test } from "vitest";

const config: DecoderConfig = {
  vocabSize: 64,
  embedDim: 64,
  hiddenDim: 256,
  numLayers: 1,
  numHeads: 4,
  numKvHeads: 2,
  contextLength: 256,
  normEps: 1e-5,
  stopIds: [],
};
const ids = Array.from({ length: 256 }, (_, i) => i % 64);

/** Peak bytes of a pass besides weights, for a number of layers. */
async function bytesOfPass(numLayers: number): Promise<number> {
  const device = await wasm();
  const { init, apply } = decoder({ ...config, numLayers });
  const params = mapTensors(init(1), (x: Tensor) => x.to(device));
  const { bytes } = device.memory();
  apply(params, ids);
  return device.memory().peakBytes! - bytes!;
}

test("a pass holds the tensors of one layer, and only the outputs of the others", async () => {
  const [two, ten] = [await bytesOfPass(2), await bytesOfPass(10)];
  const output = 4 * ids.length * config.embedDim;
  expect(ten - two).toBeLessThanOrEqual(8 * output);
});
