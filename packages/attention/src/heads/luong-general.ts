import { linear, mul, randn, type Tensor } from "@qkv/tensor";
import { checkParams } from "./attend-heads.js";
import { attendRows, checkWidth, checkWidths, rowsOptions, type RowsOptions } from "./attend-rows.js";
import type { LinearParams } from "./grouped-query.js";

/** Configuration of a layer with the general score. */
export type LuongGeneralConfig = {
  /** Cq, the width of queries. */
  queryDim: number;
  /** Ck, the width of keys. */
  keyDim: number;
};

export type LuongGeneralLayer = {
  readonly config: LuongGeneralConfig;
  /** W `[Cq, Ck]`: normal with variance 1 / Ck. */
  init(seed: number): LinearParams;
  /** Query `[B, T, Cq]`, key `[B, S, Ck]`, value `[B, S, Cv]` to `[B, T, Cv]`. */
  apply(params: LinearParams, query: Tensor, key: Tensor, value: Tensor, options?: RowsOptions): Tensor;
};

/**
 * Luong attention with the score `qᵀ W k`: a learned matrix relates parts of the query to parts of the key. A
 * transformer head is the same with `W = W_Qᵀ W_K` of lower rank, and a scale.
 *
 * Costs S projections and T · S dot products. Nothing is scaled.
 *
 * @throws {ArgumentError} If a width is not an integer of at least 1.
 * @see "Effective Approaches to Attention-based Neural Machine Translation" (2015), arXiv:1508.04025, section 3.1
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { luongGeneral } from "@qkv/attention";
 *
 * const layer = luongGeneral({ queryDim: 4, keyDim: 6 });
 * const source = randn([1, 5, 6], { seed: 2 }); // [B, S, Ck]
 * layer.apply(layer.init(1), randn([1, 2, 4], { seed: 3 }), source, source).shape; // => [1, 2, 6]
 * ```
 */
export function luongGeneral(config: LuongGeneralConfig): LuongGeneralLayer {
  const { queryDim, keyDim } = checkWidths("luongGeneral", config, ["queryDim", "keyDim"]);
  return {
    config,
    init: (seed) => ({ weight: mul(randn([queryDim, keyDim], { seed }), 1 / Math.sqrt(keyDim)) }),
    apply(params, query, key, value, callOptions) {
      const options = rowsOptions("luongGeneral", callOptions);
      checkParams("luongGeneral", { query: params }, ["query"]);
      const { weight, bias } = params;
      checkWidth("luongGeneral", "query", query, "B, T", queryDim);
      checkWidth("luongGeneral", "key", key, "B, S", keyDim);
      checkWidth("luongGeneral", "value", value, "B, S");
      return attendRows(query, linear(key, weight, bias), value, { ...options, scale: 1 });
    },
  };
}
