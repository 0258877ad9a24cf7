import { ArgumentError } from "@qkv/core";
import type { Mask } from "@qkv/tensor";
import { defineMask } from "../mask.js";

/**
 * Lets each query see itself and the `windowSize - 1` keys just before it.
 *
 * Through `L` layers a token still hears from up to `L * (windowSize - 1)` earlier ones. A device that skips
 * masked keys does `windowSize` dot products per query instead of `S`.
 *
 * @param windowSize - Keys seen by one query, itself included. Unit: tokens. Whole, 1 or more; `Infinity` for all.
 * @returns A mask for {@link attention}, whose inputs are query `[B, H, T, D]`, key and value `[B, Hkv, S, D]`.
 * @throws {ArgumentError} If `windowSize` is not a whole number of at least 1.
 * @see "Longformer" (2020), arXiv:2004.05150, section 3.1; "Mistral 7B" (2023), arXiv:2310.06825, section 2
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { attention, slidingWindow } from "@qkv/attention";
 *
 * const query = randn([1, 8, 16, 4], { seed: 1 }); // [B, H, T, D]
 * const key = randn([1, 2, 16, 4], { seed: 2 }); // [B, Hkv, S, D]
 * const value = randn([1, 2, 16, 4], { seed: 3 });
 * attention(query, key, value, { mask: slidingWindow(4) }).shape; // => [1, 8, 16, 4]
 * ```
 */
export function slidingWindow(windowSize: number): Mask {
  if ((!Number.isInteger(windowSize) && windowSize !== Infinity) || windowSize < 1) {
    throw new ArgumentError({
      fn: "slidingWindow",
      argument: "windowSize",
      received: windowSize,
      expected: "a whole number of tokens, 1 or more",
      fix: "count the query itself: 1 sees only itself, 2 also sees the token before it.",
    });
  }
  return defineMask({
    name: `slidingWindow(${windowSize})`,
    sees: (query, key) => key <= query && query - key < windowSize,
    // A tile whose newest key is too old, or whose oldest key is in the future, is never read.
    tile: (query, key) =>
      key.last <= query.first - windowSize || key.first > query.last
        ? "none"
        : key.last <= query.first && key.first > query.last - windowSize
          ? "all"
          : "some",
  });
}
