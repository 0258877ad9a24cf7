import { checks } from "@qkv/core";
import {
  checkTensor,
  less,
  matmul,
  repeat,
  stopGradient,
  tensor,
  transpose,
  where,
  type Tensor,
} from "@qkv/tensor";
import { bestIndices } from "./best-indices.js";
import { meanBlocks } from "./mean-blocks.js";

export type MobaOptions = {
  /** Tokens of a block. An integer, 1 or more. */
  blockSize: number;
  /** Number of blocks for each query, its own counted. 1 or more; as many as there are is full causal attention. */
  topK: number;
};

/**
 * Mixture of block attention (MoBA): the blocks of keys for each query of each head. Its own block is always one; the
 * others are the earlier blocks whose mean key has the largest dot product with the query. No weights to train, and the
 * choice has no gradient: `mask: and(causal(), selectedKeys(mobaBlocks(query, key, options), options.blockSize))`.
 *
 * @param query - `[B, H, T, D]`, the last T of S positions.
 * @param key - `[B, Hkv, S, D]`
 * @returns int32 `[B, H, T, topK]`; −1 where there are not as many blocks yet.
 * @throws {ArgumentError} If a number is out of range.
 * @see "MoBA: Mixture of Block Attention for Long-Context LLMs" (2025), arXiv:2502.13189
 *
 * @example
 * ```ts
 * import { mobaBlocks } from "@qkv/attention";
 * import { randn } from "@qkv/tensor";
 *
 * const x = randn([1, 1, 4, 2], { seed: 1 }); // [B, H, T, D]
 * mobaBlocks(x, x, { blockSize: 2, topK: 2 }).toNested(); // => [[[[0, -1], [0, -1], [1, 0], [1, 0]]]]
 * ```
 */
export function mobaBlocks(query: Tensor, key: Tensor, options: MobaOptions): Tensor {
  const check = checks("mobaBlocks");
  const { blockSize, topK } = check.options(options, ["blockSize", "topK"]);
  check.whole({ blockSize }, { min: 1, unit: "tokens" });
  check.whole({ topK }, { min: 1, unit: "blocks" });
  checkTensor("mobaBlocks", "query", query);
  checkTensor("mobaBlocks", "key", key);
  const [H, T, S] = [query.shape[1]!, query.shape[2]!, key.shape[2]!];
  const means = repeat(meanBlocks(stopGradient(key), blockSize), H / key.shape[1]!, 1); // [B, H, C, D]
  const gates = matmul(stopGradient(query), transpose(means)); // [B, H, T, C]
  const C = means.shape[2]!;
  const own = (t: number) => Math.floor((S - T + t) / blockSize);
  const table = (f: (t: number, c: number) => number) =>
    tensor(
      Array.from({ length: T * C }, (_, i) => f(Math.floor(i / C), i % C)),
      { shape: [T, C], dtype: query.dtype, device: query.device },
    );
  const order = table((t, c) => Math.sign(c - own(t))); // −1 for earlier blocks, 0 for the own, 1 for later ones
  const ranked = where(
    less(order, 0),
    gates,
    table((t, c) => (c === own(t) ? Infinity : -Infinity)),
  );
  return bestIndices(ranked, topK);
}
