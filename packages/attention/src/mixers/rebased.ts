import { checks } from "@qkv/core";
import { featureProducts } from "./feature-products.js";
import type { LinearAttentionOptions } from "./linear-attention.js";
import { defineMixer, queryKeyValue, type Mixer } from "./mixer.js";
import { normalized } from "./normalized.js";

/**
 * ReBased: linear attention whose weights are squares, `(scale · q · k)²`. A weight can then be 0, which Based's cannot.
 * The features are the products of two channels; the learned affine map and the normalization of query and key before
 * them are the layer's.
 *
 * The state has K² rows. Costs about 4 · K² · V operations per token and head.
 *
 * @param options - `normalize`: divides each output by the sum of its weights, plus 1e-6. Default true. The state then
 *   has one more column.
 * @see "Linear Transformers with Learnable Kernel Functions are Better In-Context Models" (2024), arXiv:2402.10644
 *
 * @example
 * ```ts
 * import { full, ones } from "@qkv/tensor";
 * import { mix, rebased } from "@qkv/attention";
 *
 * const [one, three] = [ones([1, 1, 1, 1]), full([1, 1, 1, 1], 3)]; // [B, H, T, D]
 * mix(rebased({ normalize: false }), { query: three, key: one, value: one }).output.toNested(); // => [[[[9]]]]
 * ```
 */
export function rebased(options?: LinearAttentionOptions): Mixer<"query" | "key" | "value"> {
  const check = checks("rebased");
  const { normalize = true } = check.options(options, ["normalize"]);
  check.type({ normalize }, "boolean");
  return defineMixer({
    name: normalize ? "rebased()" : "rebased({ normalize: false })",
    inputs: queryKeyValue,
    stateShape: ({ keyDim, valueDim }) => [keyDim ** 2, normalize ? valueDim + 1 : valueDim],
    mix({ inputs: { query, key, value }, state, scan }) {
      const steps = { query: featureProducts(query), key: featureProducts(key), value };
      return (normalize ? normalized(scan, 1e-6) : scan)(steps, state);
    },
  });
}
