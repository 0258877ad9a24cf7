import { DeviceError } from "@qkv/core";
import { add, matmul, randn, softmax, transpose, type Tensor } from "@qkv/tensor";
import type { GpuDevice } from "./device.js";

/** Largest accepted error, relative to the largest number: float32 sums in another order, and a less accurate exp. */
const tolerance = 1e-4;

/**
 * Compares a few operations on the device with the plain device: a driver that computes wrong numbers reports no error.
 *
 * @returns The largest difference, relative to the largest number.
 */
export async function selfTest(device: GpuDevice): Promise<number> {
  const x = randn([8, 8], { seed: 1 });
  const odd = randn([8, 5], { seed: 2 });
  const compute = (x: Tensor, odd: Tensor) => [
    matmul(x, transpose(x)),
    matmul(x, odd),
    softmax(add(matmul(x, x), x)),
    softmax(odd, { axis: 0 }),
  ];
  const expected = compute(x, odd);
  const results = compute(x.to(device), odd.to(device));
  let worst = 0;
  for (const [i, result] of results.entries()) {
    const numbers = await result.read();
    const right = expected[i]!.data;
    let largest = 1;
    for (const n of right) largest = Math.max(largest, Math.abs(n));
    for (let k = 0; k < right.length; k++) {
      const distance = Math.abs(numbers[k]! - right[k]!) / largest;
      if (!(distance <= worst)) worst = distance;
    }
  }
  if (worst <= tolerance) return worst;
  throw new DeviceError({
    fn: "gpu",
    argument: "device",
    received: `wrong numbers in the self-test, ${worst} away: ${device.report().renderer ?? device.name}`,
    expected: `numbers at most ${tolerance} away from the plain device's`,
    fix: "use @qkv/wasm or `js()` here, and report the renderer's name.",
  });
}
