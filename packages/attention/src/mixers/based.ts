import { checks } from "@qkv/core";
import { concat, mul, ones, type Tensor } from "@qkv/tensor";
import { featureProducts } from "./feature-products.js";
import type { LinearAttentionOptions } from "./linear-attention.js";
import { defineMixer, queryKeyValue, type Mixer } from "./mixer.js";
import { normalized } from "./normalized.js";

/**
 * Based: linear attention with the second Taylor polynomial of the exponential, so that weights are
 * `1 + s + s² / 2` with `s = scale · q · k`, near softmax's for small scores, and never negative. The features are 1,
 * x and the products of two of its channels over √2.
 *
 * The state has `1 + K + K²` rows: keep K small, 16 in the paper. Costs about 4 · K² · V operations per token and head.
 *
 * @param options - `normalize`: divides each output by the sum of its weights, plus 1e-6. Default true. The state then
 *   has one more column.
 * @see "Simple linear attention language models balance the recall-throughput tradeoff" (2024), arXiv:2402.18668
 *
 * @example
 * ```ts
 * import { ones } from "@qkv/tensor";
 * import { based, mix } from "@qkv/attention";
 *
 * const one = ones([1, 1, 1, 1]); // [B, H, T, D]: s = 1
 * mix(based({ normalize: false }), { query: one, key: one, value: one }).output.toNested(); // => [[[[2.5]]]]
 * ```
 */
export function based(options?: LinearAttentionOptions): Mixer<"query" | "key" | "value"> {
  const check = checks("based");
  const { normalize = true } = check.options(options, ["normalize"]);
  check.type({ normalize }, "boolean");
  return defineMixer({
    name: normalize ? "based()" : "based({ normalize: false })",
    inputs: queryKeyValue,
    stateShape: ({ keyDim, valueDim }) => [1 + keyDim + keyDim ** 2, normalize ? valueDim + 1 : valueDim],
    mix({ inputs: { query, key, value }, state, scan }) {
      const steps = { query: taylorFeatures(query), key: taylorFeatures(key), value };
      return (normalize ? normalized(scan, 1e-6) : scan)(steps, state);
    },
  });
}

/** `[B, H, T, K]` as `[B, H, T, 1 + K + K²]`: the dot product of two is `1 + x · y + (x · y)² / 2`. */
function taylorFeatures(x: Tensor): Tensor {
  const { shape, dtype, device } = x;
  return concat(
    [ones([...shape.slice(0, 3), 1], { dtype, device }), x, mul(featureProducts(x), Math.SQRT1_2)],
    3,
  );
}
