import { checks } from "@qkv/core";
import { arange, checkTensor, lessEqual, mul, reshape, type Tensor } from "@qkv/tensor";
import { checkShape } from "../scores/check-shape.js";
import { bestKeys } from "./best-keys.js";

export type LightningIndexerOptions = {
  /** Number of keys for each query. 1 or more; as many as there are is full causal attention. */
  topK: number;
  /** A weight for each head of each query, `[B, H, T]`. Default: ones. */
  weights?: Tensor;
  /** Factor of the dot products. It changes no choice. Default 1. */
  scale?: number;
};

/**
 * The indexer of DeepSeek sparse attention (DSA): a small attention of its own chooses the keys that the large one reads.
 * A key's score is `Σ_h weights[h] · relu(scale · q_h · k)`; all heads share one index key a token. The best `topK` keys
 * up to the query are chosen, for all heads of the large attention: `mask: and(causal(), selectedKeys(indices))`.
 *
 * The choice has no gradient: models train the indexer to agree with the large attention's weights. It still scores every
 * key, with few and small heads.
 *
 * @param query - Index queries, `[B, H, T, D]`, of the last T of S positions.
 * @param key - Index keys, `[B, S, D]`.
 * @returns int32 `[B, T, topK]`, the best first; −1 where there are not as many keys yet.
 * @throws {ShapeError} If the weights are not `[B, H, T]`. {@link ArgumentError} If a number is out of range.
 * @see "DeepSeek-V3.2" (2025), arXiv:2512.02556
 *
 * @example
 * ```ts
 * import { lightningIndexer } from "@qkv/attention";
 * import { tensor } from "@qkv/tensor";
 *
 * const query = tensor([[[[1], [1], [1]]]]); // [B, H, T, D]
 * const key = tensor([[[1], [3], [2]]]); // [B, S, D]
 * lightningIndexer(query, key, { topK: 2 }).toNested(); // => [[[0, -1], [1, 0], [1, 2]]]
 * ```
 */
export function lightningIndexer(query: Tensor, key: Tensor, options: LightningIndexerOptions): Tensor {
  const fn = "lightningIndexer";
  const check = checks(fn);
  const { topK, weights, scale = 1 } = check.options(options, ["topK", "weights", "scale"]);
  check.whole({ topK }, { min: 1, unit: "keys" });
  check.finite({ scale }, { above: 0, fix: "leave it out: it changes no choice." });
  checkTensor(fn, "query", query);
  const [B, H, T, D] = query.shape as [number, number, number, number];
  const S = checkTensor(fn, "key", key).shape[1]!;
  checkShape(fn, "key", key, "[B, S, D]", [B, S, D], "give one index key for each token.");
  const fix = "give a weight for each head of each query.";
  if (weights) checkShape(fn, "weights", weights, "[B, H, T]", [B, H, T], fix);
  const { device } = query;
  return bestKeys(scale === 1 ? query : mul(query, scale), key, weights, topK, (start, end) => {
    const numKeys = Math.min(S, Math.max(1, S - T + end));
    const keys = reshape(arange(numKeys, { device }), [1, 1, numKeys]);
    return lessEqual(
      keys,
      reshape(arange(end - start, { device, start: S - T + start }), [1, end - start, 1]),
    );
  });
}
