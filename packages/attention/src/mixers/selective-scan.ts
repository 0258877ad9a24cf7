import { expandDims, mul } from "@qkv/tensor";
import { defineMixer, queryKeyValue, type Mixer } from "./mixer.js";

/**
 * The selective scan of Mamba: a state space model whose step size, input and output depend on the token. Each channel
 * is a head with a state of K numbers: `S ← exp(Δ A) ⊙ S + Δ B x`, `y = Cᵀ S`.
 *
 * `query` is C and `key` is B, `[B, groups, T, K]`; `value` is x, `[B, channels, T, 1]`; `deltaTime` is Δ,
 * `[B, channels, T]`, after softplus; `A` is `[channels, K]`, negative. There is no scale. The skip `D x` and the gate are part of the
 * layer, not of the mixer. Costs about 7 · K operations per token and channel.
 *
 * @see "Mamba: Linear-Time Sequence Modeling with Selective State Spaces" (2023), arXiv:2312.00752
 *
 * @example
 * ```ts
 * import { ones, tensor } from "@qkv/tensor";
 * import { mix, selectiveScan } from "@qkv/attention";
 *
 * const one = ones([1, 1, 2, 1]); // [B, channels, T, K or 1]
 * const inputs = { query: one, key: one, value: tensor([[[[8], [0]]]]), A: tensor([[-Math.log(2)]]) };
 * mix(selectiveScan(), { ...inputs, deltaTime: ones([1, 1, 2]) }).output.toNested(); // => [[[[8], [4]]]]
 * ```
 */
export function selectiveScan(): Mixer<"query" | "key" | "value" | "deltaTime" | "A"> {
  return defineMixer({
    name: "selectiveScan()",
    inputs: { ...queryKeyValue, deltaTime: "B H T", A: "H K" },
    scale: () => 1,
    scaled: "reads",
    mix: ({ inputs: { query, key, value, deltaTime, A }, state, scan }) =>
      scan({ query, key, value: mul(value, deltaTime), decay: mul(deltaTime, expandDims(A, 1)) }, state),
  });
}
