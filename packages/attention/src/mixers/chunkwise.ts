import { checks } from "@qkv/core";
import { checkSteps } from "./check-steps.js";
import { fusedScan, isFused } from "./fused-scan.js";
import { inChunks } from "./in-chunks.js";
import { multipliedOut, type FactoredScan, type Scan } from "./scan.js";

/**
 * Runs a mixer chunk by chunk: matrix products within a chunk, and the recurrence between chunks. It equals {@link recurrent} up to
 * rounding, for any chunk size. The erasures within a chunk lead to a triangular system (UT transform). Only sums of log decays are
 * exponentiated, never their differences.
 *
 * @param chunkSize - Unit: tokens. An integer, 1 or more. Default: 64; 16 for decays per key channel, which need `chunkSize` times the
 *   memory of the keys.
 * @throws {ArgumentError} If `chunkSize` is not an integer of at least 1.
 * @see "Parallelizing Linear Transformers with the Delta Rule over Sequence Length" (2024), arXiv:2406.06484;
 *   "Gated Linear Attention Transformers with Hardware-Efficient Training" (2023), arXiv:2312.06635
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { chunkwise, linearAttention, mix } from "@qkv/attention";
 *
 * const x = randn([1, 2, 10, 4], { seed: 1 }); // [B, H, T, D]
 * mix(linearAttention(), { query: x, key: x, value: x }, { form: chunkwise(4) }).output.shape; // => [1, 2, 10, 4]
 * ```
 */
export function chunkwise(chunkSize?: number): Scan {
  if (chunkSize !== undefined) {
    const fix = "leave it out for the size that suits the mixer, or give `parallel` for one chunk.";
    checks("chunkwise").whole({ chunkSize }, { min: 1, unit: "tokens", fix });
  }
  const scan: FactoredScan = (steps, state, { overwrite = false } = {}) => {
    const { decay } = checkSteps("chunkwise", steps, state);
    const length = chunkSize ?? ((decay?.shape[3] ?? 1) > 1 ? 16 : 64);
    return isFused(steps, state)
      ? fusedScan(steps, state, length, overwrite)
      : inChunks(multipliedOut(steps), state, length);
  };
  return Object.assign(scan, { factored: scan });
}

/**
 * Runs a mixer as a single chunk, over all pairs of a query and an earlier key, like attention, without a recurrence. Costs
 * T² · (K + V) operations per head.
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { linearAttention, mix, parallel } from "@qkv/attention";
 *
 * const x = randn([1, 2, 10, 4], { seed: 1 }); // [B, H, T, D]
 * mix(linearAttention(), { query: x, key: x, value: x }, { form: parallel }).output.shape; // => [1, 2, 10, 4]
 * ```
 */
export const parallel: Scan = (steps, state) => {
  const plain = multipliedOut(checkSteps("parallel", steps, state));
  return inChunks(plain, state, plain.query.shape[2]!);
};
