import { matmul, zeros } from "@qkv/tensor";
import type { WebGpuDevice } from "./device.js";

/** Lengths of the matrices: the larger ones where the smaller are over before the clock is worth reading. */
const lengths = [256, 1024] as const;
/** Milliseconds from which on a time is more than what a submission costs by itself. */
const enough = 4;

/**
 * Measures FLOPs per second of a product of matrices, the second time: the first one compiles.
 *
 * The self-test has run its shader, so that opening takes a few milliseconds more.
 */
export async function measureRate(device: WebGpuDevice): Promise<number> {
  let rate = 0;
  for (const length of lengths) {
    const x = zeros([length, length], { device });
    const multiply = async () => {
      const start = performance.now();
      device.scope(() => void matmul(matmul(x, x), x));
      await device.finish();
      return performance.now() - start;
    };
    await multiply();
    const ms = Math.max(0.01, await multiply());
    rate = Math.max(rate, (2 * 2 * length ** 3 * 1000) / ms);
    if (ms >= enough) break;
  }
  return rate;
}
