import { tilePlan, type AttentionCall, type AttentionKernels } from "@qkv/attention-contract";
import { tensor, zeros, type Tensor } from "@qkv/tensor";
import { attentionSample } from "./attention-sample.js";
import type { WebGpuDevice } from "./device.js";
import type { RateWork } from "./measure-rate.js";
import type { SelfTest } from "./self-test.js";

/** Attention without a mask of several queries and of one. */
export function attentionTest(): SelfTest {
  const { headDim, queries, key, value, expected } = attentionSample();
  return {
    expected,
    compute: (device) => {
      const on = (array: Float32Array) =>
        tensor(array, { shape: [1, 1, array.length / headDim, headDim], device });
      return queries.map((query) => attend(device, on(query), on(key), on(value)));
    },
  };
}

/** Work for measuring the rate: as many queries as keys, eight heads of dimension 64. */
export const attentionWork =
  (device: WebGpuDevice): RateWork =>
  (length) => {
    const [heads, size] = [8, 64];
    const x = zeros([1, heads, length, size], { device });
    return {
      flops: 4 * heads * size * length ** 2,
      run: () => device.scope(() => void attend(device, x, x, x)),
    };
  };

/** Attention without a mask, by a direct call of the kernel. */
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
    traces: [],
  };
  const output = zeros(query.shape, { device });
  const lse = zeros([batches, heads, queries], { device });
  (device.kernels as unknown as AttentionKernels).attention(call, { output, lse });
  return output;
}
