import { checks } from "@qkv/core";
import { normalQuantile as quantile } from "./normal.js";

/**
 * The number below which a standard normal lies with probability `p`, accurate to about 1 part in 10^16 and the same in
 * every engine.
 *
 * @param p - Above 0 and below 1.
 * @throws {ArgumentError} If `p` is no number between 0 and 1.
 * @see Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution" (1988)
 *
 * @example
 * ```ts
 * import { normalQuantile } from "@qkv/tensor/random";
 *
 * normalQuantile(0.975).toFixed(4); // => "1.9600"
 * ```
 */
export function normalQuantile(p: number): number {
  checks("normalQuantile").finite({ p }, { above: 0, below: 1 });
  return quantile(p);
}
