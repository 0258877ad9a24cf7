import { deltaStep } from "./delta-step.js";
import { defineMixer, queryKeyValue, type Mixer } from "./mixer.js";

/**
 * The gated delta rule (Gated DeltaNet): the whole state decays first, then the value that the key reads of it is
 * replaced. `S ← exp(decay) S`, `u = beta (v − Sᵀ k)`, `S ← S + k uᵀ`, `o = scale · Sᵀ q`. The decay clears what is no
 * longer of use at once, and the delta rule exchanges single values.
 *
 * `decay` is `[B, H, T]`, natural logarithms, at most 0; `beta` is `[B, H, T]`, or `[B, H, T, V]` for each value
 * channel. Keys are used as they come: normalize them to unit norm. Costs 7 · K · V operations per token and head.
 *
 * @see "Gated Delta Networks: Improving Mamba2 with Delta Rule" (2024), arXiv:2412.06464
 *
 * @example
 * ```ts
 * import { ones, tensor } from "@qkv/tensor";
 * import { gatedDeltaRule, mix } from "@qkv/attention";
 *
 * const key = ones([1, 1, 2, 1]); // [B, H, T, K]
 * const value = tensor([[[[8], [0]]]]);
 * const beta = tensor([[[1, 0]]]); // [B, H, T]: the second token writes nothing
 * const decay = tensor([[[0, Math.log(0.5)]]]);
 * mix(gatedDeltaRule(), { query: key, key, value, beta, decay }).output.toNested(); // => [[[[8], [4]]]]
 * ```
 */
export function gatedDeltaRule(): Mixer<"query" | "key" | "value" | "decay" | "beta"> {
  return defineMixer({
    name: "gatedDeltaRule()",
    inputs: { ...queryKeyValue, decay: "B H T", beta: "B H T | B H T V" },
    scaled: "reads",
    mix: ({ inputs, state, scan }) => deltaStep(inputs, state, scan),
  });
}
