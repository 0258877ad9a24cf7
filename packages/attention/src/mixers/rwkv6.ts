import { add, expandDims, mul, sum } from "@qkv/tensor";
import { defineMixer, queryKeyValue, type Mixer } from "./mixer.js";

/**
 * The time mixing of RWKV-6: gated linear attention that reads before it writes, and counts the token itself by a
 * learned bonus. `o = scale · (S + u ⊙ k vᵀ)ᵀ q`, then `S ← diag(exp(decay)) S + k vᵀ`.
 *
 * `decay` is `[B, H, T, K]`, natural logarithms, at most 0 (RWKV's `−exp(w)`); `bonus` (u) is `[H, K]`. The query is
 * RWKV's receptance r. Costs 5 · K · V operations per token and head.
 *
 * @see "Eagle and Finch: RWKV with Matrix-Valued States and Dynamic Recurrence" (2024), arXiv:2404.05892
 *
 * @example
 * ```ts
 * import { full, ones, tensor, zeros } from "@qkv/tensor";
 * import { mix, rwkv6 } from "@qkv/attention";
 *
 * const one = ones([1, 1, 2, 1]); // [B, H, T, K]
 * const inputs = { query: one, key: one, value: tensor([[[[8], [3]]]]), decay: zeros([1, 1, 2, 1]) };
 * mix(rwkv6(), { ...inputs, bonus: full([1, 1], 2) }).output.toNested(); // => [[[[16], [14]]]]
 * ```
 */
export function rwkv6(): Mixer<"query" | "key" | "value" | "decay" | "bonus"> {
  return defineMixer({
    name: "rwkv6()",
    inputs: { ...queryKeyValue, decay: "B H T K", bonus: "H K" },
    mix({ inputs: { bonus, ...steps }, state, scan }) {
      const { query, key, value } = steps;
      const past = scan({ ...steps, reads: "before" }, state);
      const bonusWeight = sum(mul(mul(query, key), expandDims(bonus, 1)), { axis: 3, keepDims: true }); // [B, H, T, 1]
      return { ...past, output: add(past.output, mul(bonusWeight, value)) };
    },
  });
}
