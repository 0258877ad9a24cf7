import { checks } from "@qkv/core";
import { add, expandDims, mul, type Tensor } from "@qkv/tensor";
import { attention } from "../attention.js";
import { checkTable } from "../biases/check-table.js";
import { and } from "../masks/and.js";
import { causal } from "../masks/causal.js";
import { slidingWindow } from "../masks/sliding-window.js";
import { checkShape } from "../scores/check-shape.js";
import { meanBlocks } from "./mean-blocks.js";
import { nsaBlocks } from "./nsa-blocks.js";
import { pastBlocks } from "./past-blocks.js";
import { selectedKeys } from "./selected-keys.js";

export type NativeSparseOptions = {
  /** Tokens of a block. An integer, 1 or more. */
  blockSize: number;
  /** Number of selected blocks for each query. */
  numBlocks: number;
  /** Keys of the window, the query itself counted. Unit: tokens. Needed where there is a gate for it. */
  windowSize?: number;
  /** A gate for each branch, `[B, H, T]`, usually a sigmoid of the token. Without `window` there is no such branch. */
  gates: { compressed: Tensor; selected: Tensor; window?: Tensor };
  /** Factor of the dot products. Default: `1 / √D`. */
  scale?: number;
};

/**
 * Native sparse attention: three views of the past, added with gates. *Compressed*: the means of whole blocks, cheap and
 * coarse. *Selected*: all tokens of the blocks that compression weighs most, shared by the query heads of a group.
 * *Window*: the last tokens. A query reads `S / blockSize + numBlocks · blockSize + windowSize` keys instead of S.
 *
 * @param query - `[B, H, T, D]`
 * @param key - `[B, Hkv, T, D]`
 * @param value - `[B, Hkv, T, Dv]`
 * @returns `output`, `[B, H, T, Dv]`, and `blocks`, the selected ones, int32 `[B, Hkv, T, numBlocks]`.
 * @throws {ShapeError} If a gate is not `[B, H, T]`. {@link ArgumentError} If a number is out of range.
 * @see "Native Sparse Attention: Hardware-Aligned and Natively Trainable Sparse Attention" (2025), arXiv:2502.11089
 *
 * @example
 * ```ts
 * import { nativeSparse } from "@qkv/attention";
 * import { ones, randn, zeros } from "@qkv/tensor";
 *
 * const x = randn([1, 2, 8, 4], { seed: 1 }); // [B, H, T, D]
 * const gates = { compressed: zeros([1, 2, 8]), selected: ones([1, 2, 8]) };
 * nativeSparse(x, x, x, { blockSize: 2, numBlocks: 3, gates }).output.shape; // => [1, 2, 8, 4]
 * ```
 */
export function nativeSparse(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: NativeSparseOptions,
): { output: Tensor; blocks: Tensor } {
  const fn = "nativeSparse";
  const check = checks(fn);
  const names = ["blockSize", "numBlocks", "windowSize", "gates", "scale"] as const;
  const { blockSize, numBlocks, windowSize, gates, scale: given } = check.options(options, names);
  check.whole({ blockSize }, { min: 1, unit: "tokens" });
  check.whole({ numBlocks }, { min: 1, unit: "blocks" });
  const shape = checkTable(fn, "query", query);
  check.each({ query }, () => shape.length === 4, "[B, H, T, D]");
  const [B, , T, D] = shape as [number, number, number, number];
  for (const [argument, x, width] of [
    ["key", key, D],
    ["value", value, undefined],
  ] as const) {
    const own = checkTable(fn, argument, x);
    const fix = "give keys and values of every token that has a query.";
    checkShape(fn, argument, x, "[B, Hkv, T, D]", [B, own[1] ?? 1, T, width ?? own[3] ?? 1], fix);
  }
  const [compressedKey, compressedValue] = [meanBlocks(key, blockSize), meanBlocks(value, blockSize)];
  const scale = given === undefined ? {} : { scale: given };
  const blocks = nsaBlocks(query, compressedKey, { blockSize, numBlocks, ...scale });
  const gated = (name: string, gate: Tensor, output: Tensor) => {
    const fix = "give a gate for each query of each head.";
    checkShape(fn, `gates.${name}`, gate, "[B, H, T]", query.shape.slice(0, 3), fix);
    return mul(output, expandDims(gate, 3));
  };
  const coarse = attention(query, compressedKey, compressedValue, { mask: pastBlocks(blockSize), ...scale });
  const mask = and(causal(), selectedKeys(blocks, blockSize));
  const branches = [
    gated("compressed", gates?.compressed, coarse),
    gated("selected", gates?.selected, attention(query, key, value, { mask, ...scale })),
  ];
  if (gates?.window) {
    check.whole({ windowSize }, { min: 1, unit: "tokens", fix: "say how many keys the window holds." });
    const near = attention(query, key, value, { mask: slidingWindow(windowSize!), ...scale });
    branches.push(gated("window", gates.window, near));
  }
  return { output: branches.reduce((a, b) => add(a, b)), blocks };
}
