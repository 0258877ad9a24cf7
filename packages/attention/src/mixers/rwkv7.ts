import { mul, neg } from "@qkv/tensor";
import { dplrSteps } from "./dplr.js";
import { defineMixer, queryKeyValue, type Mixer } from "./mixer.js";

/**
 * The time mixing of RWKV-7: a delta rule that removes along another key than it writes, at a rate for each channel.
 * `S ← diag(exp(decay)) S − (κ ⊙ rate) (κᵀ S) + k vᵀ`, `o = Sᵀ q`. It is {@link dplr} with `a = −κ`, `b = κ ⊙ rate`.
 *
 * `decay` (natural logarithms, at most 0; RWKV's `−exp(w)`), `removalKey` (κ, of unit norm) and `rate` (the in-context
 * learning rate, from 0 to 1) are `[B, H, T, K]`; the query is RWKV's receptance r, and is not scaled. Costs 9 · K · V
 * operations per token and head.
 *
 * @see "RWKV-7 'Goose' with Expressive Dynamic State Evolution" (2025), arXiv:2503.14456
 *
 * @example
 * ```ts
 * import { ones, tensor, zeros } from "@qkv/tensor";
 * import { mix, rwkv7 } from "@qkv/attention";
 *
 * const key = ones([1, 1, 2, 1]); // [B, H, T, K]
 * const value = tensor([[[[8], [3]]]]);
 * const inputs = { query: key, key, value, decay: zeros([1, 1, 2, 1]), removalKey: key };
 * const rate = tensor([[[[0], [0.5]]]]); // the second token removes half
 * mix(rwkv7(), { ...inputs, rate }).output.toNested(); // => [[[[8], [7]]]]
 * ```
 */
export function rwkv7(): Mixer<"query" | "key" | "value" | "decay" | "removalKey" | "rate"> {
  return defineMixer({
    name: "rwkv7()",
    inputs: { ...queryKeyValue, decay: "B H T K", removalKey: "B H T K", rate: "B H T K" },
    scale: () => 1,
    mix: ({ inputs: { removalKey, rate, ...inputs }, state, scan }) =>
      dplrSteps({ ...inputs, a: neg(removalKey), b: mul(removalKey, rate) }, state, scan),
  });
}
