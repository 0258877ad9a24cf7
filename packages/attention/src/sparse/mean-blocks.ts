import { checks } from "@qkv/core";
import { concat, mean, reshape, slice, type Tensor } from "@qkv/tensor";
import { checkTable } from "../biases/check-table.js";

/**
 * The mean of each block of consecutive tokens; the last block may be shorter.
 *
 * @param x - Keys or values, `[B, Hkv, S, D]`.
 * @param blockSize - Unit: tokens. An integer, 1 or more.
 * @returns `[B, Hkv, ⌈S / blockSize⌉, D]`
 * @throws {ArgumentError} If the size is not an integer of at least 1.
 *
 * @example
 * ```ts
 * import { meanBlocks } from "@qkv/attention";
 * import { tensor } from "@qkv/tensor";
 *
 * meanBlocks(tensor([[[[1], [3], [7]]]]), 2).toNested(); // => [[[[2], [7]]]]
 * ```
 */
export function meanBlocks(x: Tensor, blockSize: number): Tensor {
  const check = checks("meanBlocks");
  const shape = checkTable("meanBlocks", "x", x);
  check.each({ x }, () => shape.length === 4, "[B, Hkv, S, D]");
  check.whole({ blockSize }, { min: 1, unit: "tokens" });
  const [B, H, S, D] = shape as [number, number, number, number];
  const full = Math.floor(S / blockSize);
  const parts: Tensor[] = [];
  if (full > 0 || S === 0)
    parts.push(mean(reshape(slice(x, 2, 0, full * blockSize), [B, H, full, blockSize, D]), { axis: 3 }));
  if (full * blockSize < S) parts.push(mean(slice(x, 2, full * blockSize), { axis: 2, keepDims: true }));
  return parts.length === 1 ? parts[0]! : concat(parts, 2);
}
