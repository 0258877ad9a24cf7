import { add, expandDims, linear, mul, randn, reshape, splitSeed, tanh, type Tensor } from "@qkv/tensor";
import { checkParams } from "./attend-heads.js";
import { attendByScores, checkWidth, checkWidths, rowsOptions, type RowsOptions } from "./attend-rows.js";
import type { LinearParams } from "./grouped-query.js";

/** Configuration of an additive layer. */
export type AdditiveConfig = {
  /** Cq, the width of queries. */
  queryDim: number;
  /** Ck, the width of keys. */
  keyDim: number;
  /** A, the width to which queries and keys are projected. */
  hiddenDim: number;
};

/** The weights of an additive layer. */
export type AdditiveParams = {
  /** W, the projection of queries, `[A, Cq]`. */
  query: LinearParams;
  /** U, the projection of keys, `[A, Ck]`. */
  key: LinearParams;
  /** v, the projection to scores, `[1, A]`. */
  score: LinearParams;
};

export type AdditiveLayer = {
  readonly config: AdditiveConfig;
  /** Random weights: normal with variance 1 / fan-in. */
  init(seed: number): AdditiveParams;
  /** Query `[B, T, Cq]`, key `[B, S, Ck]`, value `[B, S, Cv]` to `[B, T, Cv]`. */
  apply(params: AdditiveParams, query: Tensor, key: Tensor, value: Tensor, options?: RowsOptions): Tensor;
  /** Projects keys once for all queries: `[B, S, Ck]` to U k, `[B, S, A]`, an argument of {@link AdditiveLayer.attend}. */
  projectKeys(params: AdditiveParams, key: Tensor): Tensor;
  /** The same as `apply`, with keys that are projected already. */
  attend(
    params: AdditiveParams,
    query: Tensor,
    projectedKey: Tensor,
    value: Tensor,
    options?: RowsOptions,
  ): Tensor;
};

/**
 * Additive (Bahdanau) attention: a small network scores how well a query and a key match, `vᵀ tanh(W q + U k)`, and
 * softmax of the scores weights the values. Query and key may have different widths, and nothing is scaled.
 *
 * Costs T · S · A additions and tanhs, and stores as many numbers. Dot-product attention costs as much arithmetic, but runs as a
 * matrix product. Keys can be projected once and reused.
 *
 * @throws {ArgumentError} If a width is not an integer of at least 1.
 * @see "Neural Machine Translation by Jointly Learning to Align and Translate" (2014), arXiv:1409.0473
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { additive } from "@qkv/attention";
 *
 * const layer = additive({ queryDim: 4, keyDim: 6, hiddenDim: 8 });
 * const params = layer.init(1);
 * const source = randn([1, 5, 6], { seed: 2 }); // [B, S, Ck]
 * const keys = layer.projectKeys(params, source); // once
 * layer.attend(params, randn([1, 1, 4], { seed: 3 }), keys, source).shape; // => [1, 1, 6]
 * ```
 */
export function additive(config: AdditiveConfig): AdditiveLayer {
  const { queryDim, keyDim, hiddenDim } = checkWidths("additive", config, [
    "queryDim",
    "keyDim",
    "hiddenDim",
  ]);
  const checkWeights = (params: AdditiveParams) => checkParams("additive", params, ["query", "key", "score"]);
  const projectKeys = (params: AdditiveParams, key: Tensor): Tensor => {
    checkWeights(params);
    const { weight, bias } = params.key;
    checkWidth("additive", "key", key, "B, S", keyDim);
    return linear(key, weight, bias);
  };
  const attend: AdditiveLayer["attend"] = (params, query, projectedKey, value, callOptions) => {
    const options = rowsOptions("additive", callOptions);
    checkWeights(params);
    checkWidth("additive", "query", query, "B, T", queryDim);
    checkWidth("additive", "projectedKey", projectedKey, "B, S", hiddenDim);
    checkWidth("additive", "value", value, "B, S");
    const projectedQuery = linear(query, params.query.weight, params.query.bias); // [B, T, A]
    return attendByScores(additiveScores(projectedQuery, projectedKey, params.score), value, options);
  };
  return {
    config,
    init(seed) {
      const seeds = splitSeed(seed, ["query", "key", "score"]);
      const make = (seed: number, out: number, inner: number) => ({
        weight: mul(randn([out, inner], { seed }), 1 / Math.sqrt(inner)),
      });
      return {
        query: make(seeds.query, hiddenDim, queryDim),
        key: make(seeds.key, hiddenDim, keyDim),
        score: make(seeds.score, 1, hiddenDim),
      };
    },
    projectKeys,
    attend,
    apply: (params, query, key, value, options) =>
      attend(params, query, projectKeys(params, key), value, options),
  };
}

/** The scores vᵀ tanh(q + k), `[B, T, S]`, of projected queries `[B, T, A]` and keys `[B, S, A]`. */
export function additiveScores(query: Tensor, key: Tensor, { weight, bias }: LinearParams): Tensor {
  const hidden = tanh(add(expandDims(query, 2), expandDims(key, 1))); // [B, T, S, A]
  return reshape(linear(hidden, weight, bias), hidden.shape.slice(0, 3));
}
