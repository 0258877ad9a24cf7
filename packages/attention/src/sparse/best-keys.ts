import {
  concat,
  expandDims,
  matmul,
  mul,
  relu,
  slice,
  stopGradient,
  sum,
  transpose,
  where,
  type Tensor,
} from "@qkv/tensor";
import { bestIndices } from "./best-indices.js";

/** Number of queries whose scores are in memory at a time. */
const tileRows = 64;

/**
 * Indices of the keys with the highest index scores `Σ_h weights[h] · relu(q_h · k)` among those that each query sees.
 *
 * @param query - `[B, H, T, D]`
 * @param key - `[B, S, D]`
 * @param weights - `[B, H, T]`. Default: all 1.
 * @param seen - Bool `[B or 1, end - start, n]` of the queries from `start` to `end`, and of the first n keys; they see no others.
 * @returns int32 `[B, T, topK]`, the best first; −1 where a query sees fewer. No gradient flows to the inputs.
 */
export function bestKeys(
  query: Tensor,
  key: Tensor,
  weights: Tensor | undefined,
  topK: number,
  seen: (start: number, end: number) => Tensor,
): Tensor {
  const T = query.shape[2]!;
  // Scores are computed for a tile of queries, and only for keys up to the last visible one: T × S numbers are never stored.
  const chosen = Array.from({ length: Math.max(1, Math.ceil(T / tileRows)) }, (_, tile) =>
    query.device.scope(() => {
      const [start, end] = [tile * tileRows, Math.min(T, (tile + 1) * tileRows)];
      const visible = seen(start, end);
      const firstKeys = slice(stopGradient(key), 1, 0, visible.shape[2]!);
      const heads = relu(
        matmul(slice(stopGradient(query), 2, start, end), expandDims(transpose(firstKeys), 1)),
      ); // [B, H, rows, n]
      const weighted = weights
        ? mul(heads, expandDims(slice(stopGradient(weights), 2, start, end), 3))
        : heads;
      return bestIndices(where(visible, sum(weighted, { axis: 1 }), -Infinity), topK);
    }),
  );
  return chosen.length === 1 ? chosen[0]! : concat(chosen, 1);
}
