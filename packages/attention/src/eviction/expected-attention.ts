import { checks } from "@qkv/core";
import type { EvictionScore } from "@qkv/attention-contract";
import { tensor } from "@qkv/tensor";
import type { Rope } from "../positions/rope.js";
import { meanOfGroups } from "./mean-of-groups.js";

export type ExpectedAttentionOptions = {
  /** The rotary embedding of the layer. Default: queries have no positions. */
  rope?: Rope;
  /** Last queries from which the distribution of future ones is estimated. Unit: tokens. Default 64. */
  window?: number;
  /** Future positions over which the rotation is averaged. Unit: tokens. Default 512. */
  futureLength?: number;
  /** Added to a weight before it is multiplied by the norm of the value. Default 0. */
  epsilon?: number;
  /** Default: `1 / √D`. */
  scale?: number;
};

/**
 * Scores a token by its expected attention weight from future queries. Future queries are assumed to be normal with the mean μ and
 * covariance Σ of the last `window` queries, rotated by the mean rotation of the next `futureLength` positions:
 * `softmax(scale · μ·k + ½ scale² · kᵀΣk)`, times the norm of the value.
 *
 * @returns A score for `evictingCache` of `@qkv/kv-cache`. Query heads that share a key are averaged.
 * @throws {ArgumentError} If an option is out of range.
 * @see "Expected Attention: KV Cache Compression by Estimating Attention from Future Queries Distribution" (2025),
 *   arXiv:2510.00636
 *
 * @example
 * ```ts
 * import { expectedAttention } from "@qkv/attention";
 * import { ones } from "@qkv/tensor";
 *
 * const x = ones([1, 1, 2, 4]); // equal tokens: half of the attention each, times ‖v‖ = 2
 * const positions = Int32Array.of(0, 1);
 * expectedAttention().score({ key: x, value: x, query: x, positions, newTokens: 2 }).toNested(); // => [[[1, 1]]]
 * ```
 */
export function expectedAttention(options?: ExpectedAttentionOptions): EvictionScore {
  const check = checks("expectedAttention");
  const names = ["rope", "window", "futureLength", "epsilon", "scale"] as const;
  const { rope, window = 64, futureLength = 512, epsilon = 0, scale } = check.options(options, names);
  check.whole({ window, futureLength }, { min: 1, unit: "tokens" });
  check.finite({ epsilon }, { min: 0 });
  if (scale !== undefined) check.finite({ scale }, { above: 0 });
  if (rope !== undefined)
    check.each({ rope }, (x) => typeof (x as Rope).apply === "function", "a rotary embedding");
  let rotations: Float64Array[] | undefined;
  return {
    name: `expectedAttention(window ${window}, future ${futureLength})`,
    queryWindow: window,
    accumulates: false,
    score({ key, value, query }) {
      const [, Hkv, S, D] = key.shape as [number, number, number, number];
      const [, H, numQueries] = query!.shape as [number, number, number, number];
      const n = Math.min(window, numQueries);
      const [k, v, q] = [key.data, value.data, query!.data];
      const factor = scale ?? 1 / Math.sqrt(D);
      if (rope && rotations?.[0]?.length !== D * D) rotations = meanRotations(rope, D, window, futureLength);
      const Dv = value.shape[3]!;
      const weights = new Float64Array(H * S);
      for (let h = 0; h < H; h++) {
        const future = Array.from({ length: n }, (_, i) => {
          const offset = (h * numQueries + numQueries - n + i) * D;
          const queryRow = Float64Array.from({ length: D }, (_, d) => q[offset + d]!);
          return rope ? product(rotations![n - 1 - i]!, queryRow) : queryRow;
        });
        const mean = Float64Array.from(
          { length: D },
          (_, d) => future.reduce((sum, x) => sum + x[d]!, 0) / n,
        );
        const scores = Float64Array.from({ length: S }, (_, s) => {
          const offset = (Math.floor(h / (H / Hkv)) * S + s) * D;
          const dot = (x: Float64Array) => x.reduce((sum, number, d) => sum + number * k[offset + d]!, 0);
          const expected = dot(mean);
          // kᵀΣk is the variance of the dot products.
          const variance = future.reduce((sum, x) => sum + (dot(x) - expected) ** 2, 0) / n;
          return factor * expected + (factor ** 2 * variance) / 2;
        });
        const highest = scores.reduce((most, score) => Math.max(most, score), -Infinity);
        const sum = scores.reduce((sum, score) => sum + Math.exp(score - highest), 0);
        scores.forEach((score, s) => (weights[h * S + s] = Math.exp(score - highest) / sum));
      }
      const scores = meanOfGroups(weights, H, Hkv).map((weight, i) => {
        let square = 0;
        for (let d = 0; d < Dv; d++) square += v[i * Dv + d]! ** 2;
        return (weight + epsilon) * Math.sqrt(square);
      });
      return tensor(scores, { shape: [1, Hkv, S] });
    },
  };
}

/**
 * Mean rotation matrices, `[D, D]` row-major, from the position of a query to the `futureLength` positions after the last token. Matrix
 * i is for the query i tokens before the last.
 */
function meanRotations(rope: Rope, D: number, window: number, futureLength: number): Float64Array[] {
  // Rotated unit vectors are the columns of a rotation.
  const units = tensor(
    Float64Array.from({ length: D * D }, (_, i) => (Math.floor(i / D) === i % D ? 1 : 0)),
    { shape: [1, D, 1, D] },
  );
  const sum = new Float64Array(D * D);
  const add = (distance: number, sign: number) =>
    rope.apply(units, { start: distance }).data.forEach((number: number | bigint, i: number) => {
      sum[(i % D) * D + Math.floor(i / D)]! += sign * Number(number);
    });
  for (let t = 1; t <= futureLength; t++) add(t, 1);
  return Array.from({ length: window }, (_, i) => {
    if (i > 0) {
      add(i + futureLength, 1);
      add(i, -1);
    }
    return sum.map((number) => number / futureLength);
  });
}

function product(matrix: Float64Array, x: Float64Array): Float64Array {
  const D = x.length;
  return x.map((_, row) => {
    let sum = 0;
    for (let column = 0; column < D; column++) sum += matrix[row * D + column]! * x[column]!;
    return sum;
  });
}
