import type { Tensor } from "@qkv/tensor";
import { attendRows, checkWidth, rowsOptions, type RowsOptions } from "./attend-rows.js";

/**
 * Luong attention with the score `q · k`. It has no learned parameters and no scale, so long vectors give sharp
 * weights. Scaled by `1 / √C`, it is the attention of transformers.
 *
 * Costs T · S dot products.
 *
 * @param query - `[B, T, C]`
 * @param key - `[B, S, C]`
 * @param value - `[B, S, Cv]`
 * @returns `[B, T, Cv]`
 * @throws {ShapeError} If the shapes do not fit together.
 * @see "Effective Approaches to Attention-based Neural Machine Translation" (2015), arXiv:1508.04025, section 3.1
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { luongDot } from "@qkv/attention";
 *
 * const source = tensor([[[2, 0], [0, 2]]]); // [B, S, C]
 * luongDot(tensor([[[1, 0]]]), source, source).toNested(); // => [[[1.762, 0.238]]]
 * ```
 */
export function luongDot(query: Tensor, key: Tensor, value: Tensor, options?: RowsOptions): Tensor {
  const checked = rowsOptions("luongDot", options);
  checkWidth("luongDot", "query", query, "B, T");
  checkWidth("luongDot", "key", key, "B, S", query.shape[2]!);
  checkWidth("luongDot", "value", value, "B, S");
  return attendRows(query, key, value, { ...checked, scale: 1 });
}
