import { DeviceError } from "@qkv/core";
import {
  add,
  cast,
  gelu,
  matmul,
  randn,
  rmsNorm,
  softmax,
  sum,
  take,
  tensor,
  transpose,
  type Tensor,
} from "@qkv/tensor";
import type { WebGpuDevice } from "./device.js";

/** Allows for float32 sums in another order. */
const tolerance = 1e-4;

/** A little work of a device, and the numbers that are right. */
export type SelfTest = {
  readonly expected: readonly Tensor[];
  compute(device: WebGpuDevice): readonly Tensor[];
};

/** Tiles and rows of products, sums across a workgroup, bytes in words, reads by index. */
export function operationsTest(): SelfTest {
  const x = randn([9, 20], { seed: 1 });
  const weight = randn([20, 20], { seed: 2 });
  const ids = tensor([8, 0, 3], { dtype: "int32" });
  const compute = (x: Tensor, weight: Tensor, ids: Tensor) => [
    matmul(x, transpose(weight)),
    matmul(weight, weight),
    softmax(x),
    rmsNorm(x, sum(take(weight, 0, ids), { axis: 0 })),
    gelu(add(x, 1)),
    cast(cast(x, "int8"), "float32"),
  ];
  return {
    expected: compute(x, weight, ids),
    compute: (device) => compute(x.to(device), weight.to(device), ids.to(device)),
  };
}

/**
 * Compares a little work of the device with numbers of the plain one.
 *
 * @returns The largest distance, as a share of the largest number.
 * @throws {DeviceError} If the numbers are wrong, with the adapter's name.
 */
export async function selfTest(
  fn: string,
  device: WebGpuDevice,
  { expected, compute }: SelfTest,
): Promise<number> {
  const results = device.scope(() => compute(device));
  const read = await Promise.all(results.map((result) => result.read())).catch((error: unknown) => {
    throw refused(fn, device, "which fails in the self-test", error);
  });
  let worst = 0;
  read.forEach((numbers, i) => {
    const right = expected[i]!.data;
    let largest = 1;
    for (const n of right) largest = Math.max(largest, Math.abs(n));
    for (let k = 0; k < right.length; k++) {
      const distance = Math.abs(numbers[k]! - right[k]!) / largest;
      if (!(distance <= worst)) worst = distance;
    }
  });
  if (worst <= tolerance) return worst;
  throw refused(fn, device, `whose numbers in the self-test are ${worst} away`);
}

function refused(fn: string, device: WebGpuDevice, because: string, cause?: unknown): DeviceError {
  return new DeviceError({
    fn,
    argument: "adapter",
    received: `${device.report().adapter}, ${because}`,
    expected: `numbers at most ${tolerance} away from the plain device's`,
    fix: "use @qkv/wasm or `js()` here, and report the adapter's name.",
    ...(cause === undefined ? {} : { cause }),
  });
}
