import { checks } from "@qkv/core";
import { normalQuantile as quantile } from "./normal.js";

/**
 * The quantile function (inverse CDF) of the standard normal distribution, with a relative error of about 1e-16 and the same result
 * in every engine.
 *
 * @param p - Above 0 and below 1.
 * @throws {ArgumentError} If `p` is not a number between 0 and 1.
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
