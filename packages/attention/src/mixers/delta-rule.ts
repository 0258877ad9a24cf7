import { deltaStep } from "./delta-step.js";
import { defineMixer, queryKeyValue, type Mixer } from "./mixer.js";

/**
 * The delta rule (DeltaNet): before it writes, a token takes away what the state already holds for its key, so a value
 * is replaced where linear attention would add to it. `u = beta ⊙ (v − Sᵀ k)`, `S ← S + k uᵀ`, `o = scale · Sᵀ q`: a
 * step of gradient descent on `½ |Sᵀ k − v|²` with the rate `beta`.
 *
 * `beta` is `[B, H, T]`, or `[B, H, T, V]` for each value channel, from 0 (nothing is written) to 1 (replaced). Up to 2
 * the state can also be reflected. Keys are used as they come: normalize them to unit norm (L2), or the state may grow
 * without bound. Costs 6 · K · V operations per token and head.
 *
 * @see "Linear Transformers Are Secretly Fast Weight Programmers" (2021), arXiv:2102.11174; "Parallelizing Linear
 *   Transformers with the Delta Rule over Sequence Length" (2024), arXiv:2406.06484
 *
 * @example
 * ```ts
 * import { ones, tensor } from "@qkv/tensor";
 * import { deltaRule, mix } from "@qkv/attention";
 *
 * const key = ones([1, 1, 3, 1]); // [B, H, T, K]: the same key again and again
 * const value = tensor([[[[5], [7], [9]]]]);
 * const beta = tensor([[[1, 1, 0.5]]]); // [B, H, T]
 * mix(deltaRule(), { query: key, key, value, beta }).output.toNested(); // => [[[[5], [7], [8]]]]
 * ```
 */
export function deltaRule(): Mixer<"query" | "key" | "value" | "beta"> {
  return defineMixer({
    name: "deltaRule()",
    inputs: { ...queryKeyValue, beta: "B H T | B H T V" },
    scaled: "reads",
    mix: ({ inputs, state, scan }) => deltaStep(inputs, state, scan),
  });
}
