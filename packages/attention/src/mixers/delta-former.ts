import { checks } from "@qkv/core";
import {
  concat,
  matmul,
  mul,
  ones,
  slice,
  softmax,
  sub,
  transpose,
  tril,
  where,
  cast,
  type Tensor,
} from "@qkv/tensor";
import { attention } from "../attention.js";
import { causal } from "../masks/causal.js";
import { blockRanges } from "./block-ranges.js";
import { queryKeyValue } from "./mixer.js";
import type { OwnFormMixer } from "./own-form-mixer.js";
import { unitLowerInverse } from "./unit-lower-inverse.js";

/** Keys and rewritten values of all tokens so far: a key-value cache. */
export type DeltaFormerState = {
  /** `[B, H, S, K]` */
  readonly key: Tensor;
  /** `[B, H, S, V]` */
  readonly value: Tensor;
};

export type DeltaFormerOptions = {
  /** Tokens whose values are rewritten at once; changes no number but by rounding. Default 32. */
  blockSize?: number;
};

/**
 * DeltaFormer: the delta rule with softmax attention as its memory. Each value is rewritten, less β times what its
 * query reads from the rewritten values before it, `u_i = v_i − β_i Σ_{j<i} softmax(q_i · k)_j u_j`, and causal attention
 * reads u in place of v. Within a block u is the solution of a triangular system.
 *
 * Inputs of {@link mix}: query and key `[B, H, T, K]`, value `[B, H, T, V]`; `beta` `[B, H, T]`, from 0 to 1.
 *
 * Costs twice the attention. The state grows as a key-value cache does.
 *
 * @throws {ArgumentError} If an option has an invalid value.
 * @see "Understanding Transformer from the Perspective of Associative Memory" (2025), arXiv:2505.19488
 *
 * @example
 * ```ts
 * import { ones, randn } from "@qkv/tensor";
 * import { deltaFormer, mix } from "@qkv/attention";
 *
 * const x = randn([1, 2, 6, 4], { seed: 1 }); // [B, H, T, K]
 * const { output, state } = mix(deltaFormer(), { query: x, key: x, value: x, beta: ones([1, 2, 6]) });
 * [output.shape, state.value.shape]; // => [[1, 2, 6, 4], [1, 2, 6, 4]]
 * ```
 */
export function deltaFormer(
  options?: DeltaFormerOptions,
): OwnFormMixer<"query" | "key" | "value" | "beta", never, DeltaFormerState> {
  const check = checks("deltaFormer");
  const { blockSize = 32 } = check.options(options, ["blockSize"]);
  check.whole({ blockSize }, { min: 1, unit: "tokens" });
  return {
    name: "deltaFormer()",
    inputs: { ...queryKeyValue, beta: "B H T" },
    optional: {},
    stateAxes: { key: "B H S K", value: "B H S V" },
    scale: ({ keyDim }) => 1 / Math.sqrt(keyDim),
    ownForm({ inputs, initialState }) {
      const { query, value, beta } = inputs;
      const key = initialState ? concat([initialState.key, inputs.key], 2) : inputs.key;
      const first = key.shape[2]! - query.shape[2]!;
      let rewritten = initialState?.value;
      for (const [start, end] of blockRanges(query.shape[2]!, blockSize)) {
        const part = (x: Tensor) => slice(x, 2, start, end);
        const before = first + start;
        const weights = mul(strictlyCausalWeights(part(query), slice(key, 2, 0, first + end)), part(beta)); // [B, H, C, S]
        const blockValue = part(value);
        const target = rewritten
          ? sub(blockValue, matmul(slice(weights, 3, 0, before), rewritten))
          : blockValue;
        const block = matmul(unitLowerInverse(slice(weights, 3, before)), target);
        rewritten = rewritten ? concat([rewritten, block], 2) : block;
      }
      const state = { key, value: rewritten! };
      return { output: attention(query, key, state.value, { mask: causal(), scale: 1 }), state };
    },
  };
}

/**
 * Softmax over the keys before each query, itself left out: the queries are the last. `[B, H, C, S]`; the first token,
 * which has none, gives zeros.
 */
function strictlyCausalWeights(query: Tensor, key: Tensor): Tensor {
  const [C, S] = [query.shape[2]!, key.shape[2]!];
  const { dtype, device } = query;
  const before = cast(tril(ones([C, S], { dtype, device }), S - C - 1), "bool");
  const weights = softmax(where(before, matmul(query, transpose(key)), -1e30));
  return where(before, weights, 0);
}
