import { defineMixer, queryKeyValue, type Mixer } from "./mixer.js";

/**
 * Gated linear attention: the state decays before each write, every key channel at a rate of its own that depends on
 * the token: `S ← diag(exp(decay)) S + k vᵀ`, `o = scale · Sᵀ q`.
 *
 * `decay` is `[B, H, T, K]`, natural logarithms, at most 0: 0 keeps everything, and `-Infinity` forgets it. Costs
 * 5 · K · V operations per token and head.
 *
 * @see "Gated Linear Attention Transformers with Hardware-Efficient Training" (2023), arXiv:2312.06635
 *
 * @example
 * ```ts
 * import { tensor, ones } from "@qkv/tensor";
 * import { gla, mix } from "@qkv/attention";
 *
 * const one = ones([1, 1, 3, 1]); // [B, H, T, D]
 * const decay = tensor([[[[0], [Math.log(0.5)], [-Infinity]]]]); // [B, H, T, K]
 * mix(gla(), { query: one, key: one, value: one, decay }).output.toNested(); // => [[[[1], [1.5], [1]]]]
 * ```
 */
export function gla(): Mixer<"query" | "key" | "value" | "decay"> {
  return defineMixer({
    name: "gla()",
    inputs: { ...queryKeyValue, decay: "B H T K" },
    scaled: "reads",
    mix: ({ inputs, state, scan }) => scan(inputs, state),
  });
}
