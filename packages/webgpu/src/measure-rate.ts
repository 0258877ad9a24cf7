import { matmul, zeros, type Device } from "@qkv/tensor";

/** Lengths of the matrices. The larger ones are measured if the smaller ones take less than {@link minMs}. */
const lengths = [256, 1024] as const;
/** Shortest meaningful time in ms: below, the cost of the submission dominates. */
const minMs = 4;

/** Longest estimated time of one dispatch, if its work can be split. */
const maxDispatchSeconds = 0.2;
/** Estimated rate of attention relative to that of a matrix product. */
const attentionRatio = 0.5;

/** Largest number of FLOPs of a dispatch of attention, from the measured rate in FLOPs per second. */
export const maxDispatchFlopsAt = (rate: number): number => maxDispatchSeconds * attentionRatio * rate;

/** Creates the inputs of work of a length, and returns its FLOPs and a function that runs it. */
export type RateWork = (length: number) => { readonly flops: number; run(): void };

/** Two products of square matrices, whose shader the self-test has compiled. */
export const productWork =
  (device: Device): RateWork =>
  (length) => {
    const x = zeros([length, length], { device });
    return { flops: 2 * 2 * length ** 3, run: () => device.scope(() => void matmul(matmul(x, x), x)) };
  };

/** Measures the rate of work in FLOPs per second. The first run, which compiles, is not timed. */
export async function measureRate(finish: () => Promise<void>, work: RateWork): Promise<number> {
  let rate = 0;
  for (const length of lengths) {
    const { flops, run } = work(length);
    const timed = async () => {
      const start = performance.now();
      run();
      await finish();
      return performance.now() - start;
    };
    await timed();
    const ms = Math.max(0.01, await timed());
    rate = Math.max(rate, (flops * 1000) / ms);
    if (ms >= minMs) break;
  }
  return rate;
}
