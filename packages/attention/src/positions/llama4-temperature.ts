import { checks } from "@qkv/core";

/**
 * Returns the factor of queries in Llama 4's layers without rotary positions: `1 + attnScale · ln(1 + ⌊(position + 1) /
 * floorScale⌋)`. It is 1 for the first `floorScale − 1` positions, then grows in steps.
 *
 * @param options - `floorScale`: tokens of a step, default 8192. `attnScale`: default 0.1; 0 gives 1 everywhere.
 * @returns A factor for `scaleByPosition`.
 * @throws {ArgumentError} If `floorScale` is not a finite number above 0, or `attnScale` not one of at least 0.
 * @see "The Llama 4 herd" (2025), https://ai.meta.com/blog/llama-4-multimodal-intelligence/
 *
 * @example
 * ```ts
 * import { llama4Temperature } from "@qkv/attention";
 *
 * const factor = llama4Temperature({ floorScale: 8, attnScale: 0.1 });
 * [0, 6, 7, 15].map((position) => factor(position).toFixed(3)); // => ["1.000", "1.000", "1.069", "1.110"]
 * ```
 */
export function llama4Temperature(options?: {
  floorScale?: number;
  attnScale?: number;
}): (position: number) => number {
  const check = checks("llama4Temperature");
  const { floorScale = 8192, attnScale = 0.1 } = check.options(options, ["floorScale", "attnScale"]);
  check.finite({ floorScale }, { above: 0, unit: "tokens", fix: "leave it out for 8192." });
  check.finite({ attnScale }, { min: 0, fix: "leave it out for 0.1." });
  return function llama4Temperature(position) {
    return 1 + attnScale * Math.log1p(Math.floor((position + 1) / floorScale));
  };
}
