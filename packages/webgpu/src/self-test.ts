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
import { compareNumbers } from "./compare-numbers.js";
import type { WebGpuDevice } from "./device.js";

/** A small computation for a device, and its correct results. */
export type SelfTest = {
  readonly expected: readonly ArrayLike<number>[];
  compute(device: WebGpuDevice): readonly Tensor[];
};

/** The self-test of all operations: matrix products, reductions over a workgroup, bytes packed in words, reads by index. */
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
    expected: compute(x, weight, ids).map(({ data }) => data),
    compute: (device) => compute(x.to(device), weight.to(device), ids.to(device)),
  };
}

/** Runs a self-test on a device. */
export async function selfTest(
  fn: string,
  device: WebGpuDevice,
  { expected, compute }: SelfTest,
): Promise<number> {
  const results = device.scope(() => compute(device));
  return compareNumbers(fn, device.report().adapter, Promise.all(results.map((x) => x.read())), expected);
}
