import { defineMixer, queryKeyValue, type Mixer } from "./mixer.js";

/**
 * Gated linear attention with one decay for each head and token: `S ← exp(decay) S + k vᵀ`, `o = scale · Sᵀ q`. One
 * number per pair of tokens then stands for what lies between them, so a chunk is two matrix products and a mask.
 *
 * `decay` is `[B, H, T]`, natural logarithms, at most 0. Costs 5 · K · V operations per token and head.
 *
 * @see "Gated Linear Attention Transformers with Hardware-Efficient Training" (2023), arXiv:2312.06635; "Random Feature
 *   Attention" (2021), arXiv:2103.02143, has the gate
 *
 * @example
 * ```ts
 * import { tensor, ones } from "@qkv/tensor";
 * import { mix, simpleGla } from "@qkv/attention";
 *
 * const one = ones([1, 1, 3, 1]); // [B, H, T, D]
 * const decay = tensor([[[0, Math.log(0.5), -Infinity]]]); // [B, H, T]
 * mix(simpleGla(), { query: one, key: one, value: one, decay }).output.toNested(); // => [[[[1], [1.5], [1]]]]
 * ```
 */
export function simpleGla(): Mixer<"query" | "key" | "value" | "decay"> {
  return defineMixer({
    name: "simpleGla()",
    inputs: { ...queryKeyValue, decay: "B H T" },
    scaled: "reads",
    mix: ({ inputs, state, scan }) => scan(inputs, state),
  });
}
