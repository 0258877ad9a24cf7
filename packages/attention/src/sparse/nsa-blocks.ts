import { checks } from "@qkv/core";
import { mean, reshape, stopGradient, tensor, where, type Tensor } from "@qkv/tensor";
import { attentionWeights } from "../attention.js";
import { checkTable } from "../biases/check-table.js";
import { bestIndices } from "./best-indices.js";
import { pastBlocks } from "./past-blocks.js";

export type NsaBlocksOptions = {
  /** Tokens of a block. An integer, 1 or more. */
  blockSize: number;
  /** Number of blocks for each query. 1 or more; the paper takes 16. */
  numBlocks: number;
  /** Factor of the dot products. Default: `1 / √D`. */
  scale?: number;
};

/**
 * The blocks that native sparse attention selects: those that compressed attention weighs most, averaged over the query
 * heads that share keys and values, so that a group reads the same blocks. The first block, the query's own and the one
 * before are always selected. The choice has no gradient.
 *
 * @param query - `[B, H, T, D]`, a query for every token from the first on.
 * @param compressed - One key for each block, `[B, Hkv, C, D]`: `meanBlocks(key, blockSize)`, or learned.
 * @returns int32 `[B, Hkv, T, numBlocks]`, for {@link selectedKeys}; −1 where there are not as many blocks yet.
 * @throws {ArgumentError} If a number is out of range.
 * @see "Native Sparse Attention" (2025), arXiv:2502.11089, section 3.3.2
 *
 * @example
 * ```ts
 * import { meanBlocks, nsaBlocks } from "@qkv/attention";
 * import { randn } from "@qkv/tensor";
 *
 * const x = randn([1, 1, 6, 4], { seed: 1 }); // [B, H, T, D]
 * const blocks = nsaBlocks(x, meanBlocks(x, 2), { blockSize: 2, numBlocks: 3 });
 * blocks.shape; // => [1, 1, 6, 3]
 * ```
 */
export function nsaBlocks(query: Tensor, compressed: Tensor, options: NsaBlocksOptions): Tensor {
  const check = checks("nsaBlocks");
  const { blockSize, numBlocks, scale } = check.options(options, ["blockSize", "numBlocks", "scale"]);
  check.whole({ blockSize }, { min: 1, unit: "tokens" });
  check.whole({ numBlocks }, { min: 1, unit: "blocks" });
  checkTable("nsaBlocks", "query", query);
  checkTable("nsaBlocks", "compressed", compressed);
  const mask = pastBlocks(blockSize);
  const [q, k] = [stopGradient(query), stopGradient(compressed)];
  const weights = attentionWeights(q, k, { mask, ...(scale !== undefined && { scale }) }); // [B, H, T, C]
  const [B, H, T, C] = weights.shape as [number, number, number, number];
  const groups = compressed.shape[1]!;
  const shared = mean(reshape(weights, [B, groups, H / groups, T, C]), { axis: 2 }); // [B, Hkv, T, C]
  const table = (f: (t: number, c: number) => boolean) =>
    tensor(
      Array.from({ length: T * C }, (_, i) => f(Math.floor(i / C), i % C)),
      { shape: [T, C], dtype: "bool", device: query.device },
    );
  const own = (t: number) => Math.floor(t / blockSize);
  const always = table((t, c) => c === 0 || c === own(t) || c === own(t) - 1);
  const past = table((t, c) => (c + 1) * blockSize - 1 <= t);
  return bestIndices(where(always, Infinity, where(past, shared, -Infinity)), numBlocks);
}
