import { checks } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { defineMask } from "../mask.js";

/** A window to both sides. Neighbours are counted without the query itself. */
export type WindowSides = {
  /** Keys seen before the query. Unit: tokens; `Infinity` for all. */
  before: number;
  /** Keys seen after the query. Unit: tokens; `Infinity` for all. Default 0. */
  after?: number;
};

/**
 * Lets each query see itself and the `windowSize - 1` keys just before it; or, given as `{ before, after }`, itself
 * and that many neighbours on each side.
 *
 * With `L` layers, the receptive field of a token includes `L * (windowSize - 1)` earlier tokens. A device that skips masked tiles
 * computes about `windowSize` dot products per query instead of `S`.
 *
 * @param window - Keys seen by one query, itself included. Unit: tokens. An integer, 1 or more; `Infinity` for all. Or
 *   both sides: `slidingWindow({ before: 3, after: 3 })` sees 7 keys.
 * @returns A mask for {@link attention}, whose inputs are query `[B, H, T, D]`, key and value `[B, Hkv, S, D]`.
 * @throws {ArgumentError} If `window` is not an integer of at least 1, or a side is not one of at least 0.
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
export function slidingWindow(window: number | WindowSides): Mask {
  const { before, after } = typeof window === "object" ? bothSides(window) : oneSided(window);
  return defineMask({
    name:
      typeof window === "number"
        ? `slidingWindow(${window})`
        : `slidingWindow({ before: ${before}, after: ${after} })`,
    sees: (query, key) => key >= query - before && key <= query + after,
    // A tile in which all keys are before, or all keys are after, every window is skipped.
    tile: (query, key) =>
      key.last < query.first - before || key.first > query.last + after
        ? "none"
        : key.first >= query.last - before && key.last <= query.first + after
          ? "all"
          : "some",
  });
}

const check = /* @__PURE__ */ checks("slidingWindow");

function oneSided(windowSize: number): Required<WindowSides> {
  const fix = "count the query itself: 1 sees only itself, 2 also sees the token before it.";
  if (windowSize !== Infinity) check.whole({ windowSize }, { min: 1, unit: "tokens", fix });
  return { before: windowSize - 1, after: 0 };
}

function bothSides(window: WindowSides): Required<WindowSides> {
  const { before, after = 0 } = check.options(window, ["before", "after"], "window");
  const fix = "count neighbours without the query itself: { before: 1, after: 0 } is slidingWindow(2).";
  for (const [side, count] of Object.entries({ before, after }))
    if (count !== Infinity) check.whole({ [side]: count }, { min: 0, unit: "tokens", fix });
  return { before, after };
}
