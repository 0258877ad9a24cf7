import { matmul, zeros, type Device } from "@qkv/tensor";

/** Lengths of the matrices: the larger ones where the smaller are over before the clock is worth reading. */
const lengths = [256, 1024] as const;
/** Milliseconds from which on a time is more than what a submission costs by itself. */
const enough = 4;

/** Longest estimated time of one dispatch, where the work can be split. */
const longestSeconds = 0.2;
/** Rate of attention, as a share of that of a product of matrices. */
const attentionShare = 0.5;

/** FLOPs of attention that a dispatch takes at most, at a rate that was measured. */
export const mostFlopsAt = (rate: number): number => longestSeconds * attentionShare * rate;

/** Work that grows with a length: makes its inputs, and returns the run and its FLOPs. */
export type RateWork = (length: number) => { readonly flops: number; run(): void };

/** Two products of square matrices. The self-test of all operations has run their shader. */
export const productWork =
  (device: Device): RateWork =>
  (length) => {
    const x = zeros([length, length], { device });
    return { flops: 2 * 2 * length ** 3, run: () => device.scope(() => void matmul(matmul(x, x), x)) };
  };

/** Measures FLOPs per second, the second time: the first one compiles, so that opening takes a few milliseconds more. */
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
    if (ms >= enough) break;
  }
  return rate;
}
