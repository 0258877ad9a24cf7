import { checks } from "@qkv/core";
import { normalized } from "./normalized.js";
import { defineMixer, queryKeyValue, type Mixer } from "./mixer.js";

/** Options of linear attention. */
export type LinearAttentionOptions = {
  /** Divides each output by the sum of its weights, `Σ q · k + 1e-10`, as softmax does. Default false. */
  normalize?: boolean;
};

/**
 * Linear attention: without softmax the products can be computed in another order, and past keys and values are summed
 * in one matrix, `S ← S + k vᵀ`, that the query reads, `o = scale · Sᵀ q`.
 *
 * The feature map is the caller's: `elu(x) + 1`, ReLU or another on query and key, so that weights are positive where
 * they are normalized. Costs 4 · K · V operations per token and head.
 *
 * @param options - `normalize`: default false. The state then has one more column, the sum of the keys: `[K, V + 1]`.
 * @see "Transformers are RNNs: Fast Autoregressive Transformers with Linear Attention" (2020), arXiv:2006.16236
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { linearAttention, mix } from "@qkv/attention";
 *
 * const key = tensor([[[[1], [3]]]]); // [B, H, T, K]
 * const value = tensor([[[[2], [10]]]]); // [B, H, T, V]
 * const { output } = mix(linearAttention({ normalize: true }), { query: key, key, value });
 * output.toNested(); // => [[[[2], [8]]]]
 * ```
 */
export function linearAttention(options?: LinearAttentionOptions): Mixer<"query" | "key" | "value"> {
  const check = checks("linearAttention");
  const { normalize = false } = check.options(options, ["normalize"]);
  check.type({ normalize }, "boolean");
  return defineMixer({
    name: normalize ? "linearAttention({ normalize: true })" : "linearAttention()",
    inputs: queryKeyValue,
    stateShape: ({ keyDim, valueDim }) => [keyDim, normalize ? valueDim + 1 : valueDim],
    scaled: "reads",
    mix: ({ inputs, state, scan }) => (normalize ? normalized(scan, 1e-10) : scan)(inputs, state),
  });
}
