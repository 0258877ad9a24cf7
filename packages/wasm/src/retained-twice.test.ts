import { slice, tensor } from "@qkv/tensor";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { wasm } from "./index.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test("a tensor that is retained twice is freed once", async () => {
  const device = await wasm({ threads: 1 });
  const kept = tensor(new Float32Array(1000).fill(2), { shape: [1000], device });
  device.retain(kept.storage);
  const before = device.memory().bytes;
  const retainTwice = () => {
    const one = tensor(new Float32Array(1000), { shape: [1000], device });
    device.retain(one.storage);
    device.retain(slice(one, 0, 0, 500).storage);
  };
  for (let i = 0; i < 3; i++) {
    retainTwice();
    // Finalizers run in a task of their own.
    for (let round = 0; round < 20 && device.memory().bytes !== before; round++) {
      collectGarbage();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(device.memory().bytes).toBe(before);
  }
  // Memory that was freed twice is given to two tensors.
  const [a, b] = [1, 3].map((value) => {
    const one = tensor(new Float32Array(1000).fill(value), { shape: [1000], device });
    device.retain(one.storage);
    return one;
  });
  expect([a!.data[0], b!.data[0], kept.data[0]]).toEqual([1, 3, 2]);
});
