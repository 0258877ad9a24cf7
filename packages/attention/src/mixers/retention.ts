import { decayPerHead } from "./decay-per-head.js";
import { defineMixer, queryKeyValue, type Mixer } from "./mixer.js";

/**
 * Retention (RetNet): linear attention whose state decays by the same factor at every token, one for each head.
 * `S ← γ S + k vᵀ`, `o = scale · Sᵀ q`, with `γ = 1 − 2^(−5 − h)` for head h: the first forgets half in 22 tokens, the
 * eighth in 2,839. It is {@link simpleGla} with a constant decay; rotating query and key (`rope` or `xpos`) and
 * normalizing the output are the layer's.
 *
 * Costs 5 · K · V operations per token and head.
 *
 * @see "Retentive Network: A Successor to Transformer for Large Language Models" (2023), arXiv:2307.08621
 *
 * @example
 * ```ts
 * import { ones } from "@qkv/tensor";
 * import { mix, retention } from "@qkv/attention";
 *
 * const one = ones([1, 1, 3, 1]); // [B, H, T, D]
 * mix(retention(), { query: one, key: one, value: one }).output.toNested(); // => [[[[1], [1.96875], [2.907227]]]]
 * ```
 */
export function retention(): Mixer<"query" | "key" | "value"> {
  return defineMixer({
    name: "retention()",
    inputs: queryKeyValue,
    scaled: "reads",
    mix: ({ inputs, state, scan }) =>
      scan({ ...inputs, decay: decayPerHead((head) => Math.log1p(-(2 ** (-5 - head))), inputs.key) }, state),
  });
}
