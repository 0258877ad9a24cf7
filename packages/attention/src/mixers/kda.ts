import { deltaStep } from "./delta-step.js";
import { defineMixer, queryKeyValue, type Mixer } from "./mixer.js";

/**
 * Kimi Delta Attention: the gated delta rule with a decay of its own for each key channel. `S ← diag(exp(decay)) S`,
 * `u = beta (v − Sᵀ k)`, `S ← S + k uᵀ`, `o = scale · Sᵀ q`.
 *
 * `decay` is `[B, H, T, K]`, natural logarithms, at most 0; `beta` is `[B, H, T]`. Query and key may have fewer heads
 * than value, which neighbouring ones then share. Keys are used as they come: normalize them to unit norm. Costs
 * 7 · K · V operations per token and head.
 *
 * @see "Kimi Linear: An Expressive, Efficient Attention Architecture" (2025), arXiv:2510.26692
 *
 * @example
 * ```ts
 * import { ones, tensor } from "@qkv/tensor";
 * import { kda, mix } from "@qkv/attention";
 *
 * const key = ones([1, 1, 2, 1]); // [B, H, T, K]
 * const value = tensor([[[[8], [0]]]]);
 * const beta = tensor([[[1, 0]]]); // [B, H, T]: the second token writes nothing
 * const decay = tensor([[[[0], [Math.log(0.5)]]]]); // [B, H, T, K]
 * mix(kda(), { query: key, key, value, beta, decay }).output.toNested(); // => [[[[8], [4]]]]
 * ```
 */
export function kda(): Mixer<"query" | "key" | "value" | "decay" | "beta"> {
  return defineMixer({
    name: "kda()",
    inputs: { ...queryKeyValue, decay: "B H T K", beta: "B H T" },
    mix: ({ inputs, state, scan }) => deltaStep(inputs, state, scan),
  });
}
