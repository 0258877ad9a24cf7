import type { EvictionScore } from "@qkv/attention-contract";
import { tensor } from "@qkv/tensor";

/**
 * Scores a token by the negative norm of its key: keys with a small norm tend to get high attention weights, and are retained. It does
 * not need queries.
 *
 * @returns A score for `evictingCache` of `@qkv/kv-cache`: `-‖k‖`.
 * @see "A Simple and Effective L2 Norm-Based Strategy for KV Cache Compression" (2024), arXiv:2406.11430
 *
 * @example
 * ```ts
 * import { keyNorm } from "@qkv/attention";
 * import { tensor } from "@qkv/tensor";
 *
 * const key = tensor([[3, 4], [0, 1]], { shape: [1, 1, 2, 2] }); // [1, Hkv, S, D]
 * const positions = Int32Array.of(0, 1);
 * keyNorm().score({ key, value: key, positions, newTokens: 2 }).toNested(); // => [[[-5, -1]]]
 * ```
 */
export function keyNorm(): EvictionScore {
  return {
    name: "keyNorm",
    queryWindow: 0,
    accumulates: false,
    score({ key }) {
      const [, Hkv, S, D] = key.shape as [number, number, number, number];
      const { data } = key;
      const norms = Float64Array.from({ length: Hkv * S }, (_, row) => {
        let sum = 0;
        for (let d = 0; d < D; d++) sum += data[row * D + d]! ** 2;
        return -Math.sqrt(sum);
      });
      return tensor(norms, { shape: [1, Hkv, S] });
    },
  };
}
