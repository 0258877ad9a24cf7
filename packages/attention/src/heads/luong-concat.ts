import { linear, mul, randn, slice, splitSeed, type Tensor } from "@qkv/tensor";
import { additiveScores } from "./additive.js";
import { checkParams } from "./attend-heads.js";
import { attendByScores, checkWidth, checkWidths, rowsOptions, type RowsOptions } from "./attend-rows.js";
import type { LinearParams } from "./grouped-query.js";

/** Configuration of a layer with the concat score. */
export type LuongConcatConfig = {
  /** Cq, the width of queries. */
  queryDim: number;
  /** Ck, the width of keys. */
  keyDim: number;
  /** A, the number of rows of W. */
  hiddenDim: number;
};

/** The weights of a layer with the concat score. */
export type LuongConcatParams = {
  /** W `[A, Cq + Ck]` */
  hidden: LinearParams;
  /** v `[1, A]` */
  score: LinearParams;
};

export type LuongConcatLayer = {
  readonly config: LuongConcatConfig;
  /** Random weights: normal with variance 1 / fan-in. */
  init(seed: number): LuongConcatParams;
  /** Query `[B, T, Cq]`, key `[B, S, Ck]`, value `[B, S, Cv]` to `[B, T, Cv]`. */
  apply(params: LuongConcatParams, query: Tensor, key: Tensor, value: Tensor, options?: RowsOptions): Tensor;
};

/**
 * Luong attention with the score `vᵀ tanh(W [q; k])`, where one matrix reads the query and the key side by side. Its
 * left columns multiply the query and its right columns the key, so it is {@link additive} attention with `W = [W_q |
 * U_k]` and is computed that way: each row is projected once, not each pair.
 *
 * Costs T · S · A additions and tanhs. Nothing is scaled.
 *
 * @throws {ArgumentError} If a width is not an integer of at least 1.
 * @see "Effective Approaches to Attention-based Neural Machine Translation" (2015), arXiv:1508.04025, section 3.1
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { luongConcat } from "@qkv/attention";
 *
 * const layer = luongConcat({ queryDim: 4, keyDim: 6, hiddenDim: 8 });
 * const source = randn([1, 5, 6], { seed: 2 }); // [B, S, Ck]
 * layer.apply(layer.init(1), randn([1, 2, 4], { seed: 3 }), source, source).shape; // => [1, 2, 6]
 * ```
 */
export function luongConcat(config: LuongConcatConfig): LuongConcatLayer {
  const { queryDim, keyDim, hiddenDim } = checkWidths("luongConcat", config, [
    "queryDim",
    "keyDim",
    "hiddenDim",
  ]);
  return {
    config,
    init(seed) {
      const seeds = splitSeed(seed, ["hidden", "score"]);
      const make = (seed: number, out: number, inner: number) => ({
        weight: mul(randn([out, inner], { seed }), 1 / Math.sqrt(inner)),
      });
      return {
        hidden: make(seeds.hidden, hiddenDim, queryDim + keyDim),
        score: make(seeds.score, 1, hiddenDim),
      };
    },
    apply(params, query, key, value, callOptions) {
      const options = rowsOptions("luongConcat", callOptions);
      checkParams("luongConcat", params, ["hidden", "score"]);
      const { hidden, score } = params;
      const { weight, bias } = hidden;
      checkWidth("luongConcat", "query", query, "B, T", queryDim);
      checkWidth("luongConcat", "key", key, "B, S", keyDim);
      checkWidth("luongConcat", "value", value, "B, S");
      const projectedQuery = linear(query, slice(weight, 1, 0, queryDim), bias); // [B, T, A]
      const projectedKey = linear(key, slice(weight, 1, queryDim, queryDim + keyDim)); // [B, S, A]
      return attendByScores(additiveScores(projectedQuery, projectedKey, score), value, options);
    },
  };
}
