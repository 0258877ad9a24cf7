import { mul, randn, sum, valueAndGrad, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { wasm } from "./wasm.js";

const layers = 64;
const length = 2 ** 14;

test("a backward pass frees each gradient after its last use: peak memory holds about one gradient", async () => {
  const device = await wasm();
  const x = randn([length], { seed: 1 }).to(device);
  const before = device.memory().bytes!;
  const chain = (y: Tensor) => {
    for (let i = 0; i < layers; i++) y = mul(y, 1.01);
    return sum(y);
  };
  const [, gradient] = valueAndGrad(chain)(x);
  expect(gradient.data[0]).toBeCloseTo(1.01 ** layers, 4);
  // The outputs of all layers, which the tape holds, and a few gradients; all gradients would be as many again.
  const most = (device.memory().peakBytes! - before) / (4 * length);
  expect(most).toBeGreaterThan(layers - 1);
  expect(most).toBeLessThan(layers + 20);
  await device.close();
});
