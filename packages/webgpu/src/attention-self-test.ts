import { tilePlan, type AttentionCall, type AttentionKernels } from "@qkv/attention-contract";
import { matmul, mul, randn, softmax, transpose, zeros, type Tensor } from "@qkv/tensor";
import type { WebGpuDevice } from "./device.js";
import type { RateWork } from "./measure-rate.js";
import type { SelfTest } from "./self-test.js";

/** Attention without a mask of many queries and of one, which are different shaders. */
export function attentionTest(): SelfTest {
  const [query, key, value] = [9, 70, 70].map((length, seed) => randn([1, 1, length, 20], { seed })) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const last = randn([1, 1, 1, 20], { seed: 3 });
  const scale = 1 / Math.sqrt(20);
  return {
    expected: [query, last].map((query) => matmul(softmax(mul(matmul(query, transpose(key)), scale)), value)),
    compute: (device) =>
      [query, last].map((query) => attend(device, query.to(device), key.to(device), value.to(device))),
  };
}

/** Attention of as many queries as keys, eight heads of 64 numbers. */
export const attentionWork: RateWork = (device, length) => {
  const [heads, size] = [8, 64];
  const x = zeros([1, heads, length, size], { device });
  return { flops: 4 * heads * size * length ** 2, run: () => void attend(device, x, x, x) };
};

/** Attention without a mask, as the kernel is called. */
function attend(device: WebGpuDevice, query: Tensor, key: Tensor, value: Tensor): Tensor {
  const [batches, heads, queries] = query.shape as [number, number, number];
  const length = key.shape[2]!;
  const extent = {
    batches,
    heads,
    queries,
    firstQuery: length - queries,
    keyPositions: [new Int32Array(length)],
  };
  const call: AttentionCall = {
    query,
    keyValues: { key: [key], value: [value], positions: { start: 0 } },
    firstQuery: length - queries,
    scale: 1 / Math.sqrt(query.shape[3]!),
    plan: tilePlan(undefined, extent, false, false),
    want: [],
  };
  const output = zeros(query.shape, { device });
  const lse = zeros([batches, heads, queries], { device });
  (device.kernels as unknown as AttentionKernels).attention(call, { output, lse });
  return output;
}
