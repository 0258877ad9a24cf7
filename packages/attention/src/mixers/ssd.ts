import { mul, reshape } from "@qkv/tensor";
import { defineMixer, queryKeyValue, type Mixer } from "./mixer.js";

/**
 * State space duality, the mixer of Mamba-2: a selective state space model with one decay for each head, which is the
 * same as attention without softmax under a mask of decays. `S ← exp(Δ A) S + B (Δ x)ᵀ`, `y = Sᵀ C`.
 *
 * `query` is C and `key` is B, `[B, groups, T, K]`; `value` is x, `[B, H, T, V]`; `deltaTime` is Δ, `[B, H, T]`, after
 * softplus; `A` is `[H]`, negative. Nothing is scaled; the skip `D x`, the gate and the convolution are the layer's.
 * Costs 5 · K · V operations per token and head.
 *
 * @see "Transformers are SSMs: Generalized Models and Efficient Algorithms Through Structured State Space Duality"
 *   (2024), arXiv:2405.21060
 *
 * @example
 * ```ts
 * import { ones, tensor } from "@qkv/tensor";
 * import { mix, ssd } from "@qkv/attention";
 *
 * const one = ones([1, 1, 2, 1]); // [B, H, T, K or V]
 * const inputs = { query: one, key: one, value: tensor([[[[8], [0]]]]), A: tensor([-Math.log(2)]) };
 * mix(ssd(), { ...inputs, deltaTime: ones([1, 1, 2]) }).output.toNested(); // => [[[[8], [4]]]]
 * ```
 */
export function ssd(): Mixer<"query" | "key" | "value" | "deltaTime" | "A"> {
  return defineMixer({
    name: "ssd()",
    inputs: { ...queryKeyValue, deltaTime: "B H T", A: "H" },
    scale: () => 1,
    scaled: "reads",
    mix({ inputs: { query, key, value, deltaTime, A }, state, scan }) {
      const decay = mul(deltaTime, reshape(A, [1, A.shape[0]!, 1, 1]));
      return scan({ query, key, value, decay, beta: deltaTime }, state);
    },
  });
}
