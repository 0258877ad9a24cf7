import { checks, ShapeError, type Checks } from "@qkv/core";
import {
  add,
  checkTensor,
  concat,
  einsum,
  expandDims,
  matmul,
  mul,
  randn,
  repeat,
  splitSeed,
  sum,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import {
  normalizeAndRotate,
  attendHeads,
  checkTrace,
  checkHeads,
  checkParams,
  headsOptions,
  type HeadsConfig,
  type HeadsParams,
  type Trace,
} from "./attend-heads.js";
import { checkWide } from "./check-wide.js";
import type { LinearParams } from "./grouped-query.js";
import type { PerHeadParams } from "./per-head.js";

/** Configuration of a layer of summed heads. */
export type SummedHeadsConfig = HeadsConfig & {
  /** C, the width of the model, and the size of every head. */
  embedDim: number;
  /** H */
  numHeads: number;
};

/** The weights of summed heads, each of the full width C. */
export type SummedHeadsParams = HeadsParams & {
  /** `[H, C, C]`, bias `[H, C]` */
  query: LinearParams;
  /** `[H, C, C]`, bias `[H, C]` */
  key: LinearParams;
  /** `[H, C, C]`, bias `[H, C]` */
  value: LinearParams;
  /** `[C]`, added to the sum of the heads. Default: nothing. */
  bias?: Tensor;
};

export type SummedHeadsLayer = {
  readonly config: SummedHeadsConfig;
  /** Random weights: normal with variance 1 / fan-in. */
  init(seed: number): SummedHeadsParams;
  /** `[B, T, C]` to `[B, T, C]`. */
  apply(params: SummedHeadsParams, x: Tensor, options?: { trace?: Trace; dropoutSeed?: number }): Tensor;
};

/**
 * Multi-head attention as a sum of full-size heads: every head has the full width C, and the outputs are added, `Σ_h
 * A_h x W_V^h`. No head is split, and no output projection is needed.
 *
 * The usual layer is such a sum whose matrices have rank D = C / H ({@link toSummedHeads}); here they have rank C,
 * for `3 · H · C²` weights instead of `4 · C²`, H times the multiplications, and H times the cache.
 *
 * @throws {ArgumentError} If a size is not an integer of at least 1.
 * @see "A Mathematical Framework for Transformer Circuits" (2021), https://transformer-circuits.pub/2021/framework
 *
 * @example
 * ```ts
 * import { randn, tensorsOf } from "@qkv/tensor";
 * import { multiHead, summedHeads } from "@qkv/attention";
 *
 * const config = { embedDim: 16, numHeads: 4 };
 * const weights = (params: unknown) => tensorsOf(params).reduce((n, { data }) => n + data.length, 0);
 * [multiHead(config), summedHeads(config)].map((layer) => weights(layer.init(1))); // => [1024, 3072]
 * summedHeads(config).apply(summedHeads(config).init(1), randn([1, 3, 16], { seed: 2 })).shape; // => [1, 3, 16]
 * ```
 */
export function summedHeads(config: SummedHeadsConfig): SummedHeadsLayer {
  const check = checks("summedHeads");
  const { embedDim: C, numHeads: H } = check.options(
    config,
    [...headsOptions, "embedDim", "numHeads"],
    "config",
  );
  check.whole({ embedDim: C, numHeads: H }, { min: 1 });
  checkHeads(check, config, H);
  const project = ({ weight, bias }: LinearParams, x: Tensor): Tensor => {
    const heads = einsum("hdc,btc->bhtd", weight, x);
    return bias ? add(heads, expandDims(bias, 1)) : heads;
  };
  return {
    config,
    init(seed) {
      const seeds = splitSeed(seed, ["query", "key", "value"]);
      const make = (seed: number) => ({ weight: mul(randn([H, C, C], { seed }), 1 / Math.sqrt(C)) });
      const sinks = config.sinks?.init(H);
      return {
        query: make(seeds.query),
        key: make(seeds.key),
        value: make(seeds.value),
        ...(sinks && { sinks }),
      };
    },
    apply(params, x, options) {
      const check: Checks = checks("apply");
      const { trace, dropoutSeed } = check.options(options, ["trace", "dropoutSeed"]);
      checkTrace(check, trace);
      checkWide(x, C);
      checkParams("apply", params, ["query", "key", "value"]);
      const positions = { start: 0 };
      const key = normalizeAndRotate(config, params, "key", project(params.key, x), positions); // [B, H, T, C]
      const keyValues = { key: [key], value: [project(params.value, x)], positions };
      const mixed = attendHeads(config, params, project(params.query, x), keyValues, {
        ...{ positions, trace, dropoutSeed },
      });
      const output = sum(mixed, { axis: 1 }); // [B, T, C]
      return params.bias ? add(output, params.bias) : output;
    },
  };
}

/**
 * Converts an ordinary layer into a sum of full-size heads: `W_Q^h` and `W_K^h` are padded with rows of zeros, so the
 * dot products stay the same, and `W_V^h = W_O^h · W_v^h` has rank D at most. Outputs are equal up to rounding.
 *
 * The summed layer needs the scale of the original one, `1 / √D`, and `rope({ headDim: C, rotaryDim: D })` if the original rotated all
 * D numbers.
 *
 * @param params - Of {@link perHead}; those of a fused layer through {@link splitHeads}.
 * @throws {ShapeError} If a head is larger than the model is wide.
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { perHead, summedHeads, toSummedHeads } from "@qkv/attention";
 *
 * const split = perHead({ embedDim: 8, numHeads: 2, numKvHeads: 2 }); // D = 4
 * const summed = summedHeads({ embedDim: 8, numHeads: 2, scale: 1 / Math.sqrt(4) });
 * const [params, x] = [split.init(1), randn([1, 3, 8], { seed: 2 })];
 * const [a, b] = [split.apply(params, x), summed.apply(toSummedHeads(params), x)];
 * Math.abs(a.data[0]! - b.data[0]!) < 1e-6; // => true
 * ```
 */
export function toSummedHeads(params: PerHeadParams): SummedHeadsParams {
  const check = checks("toSummedHeads");
  checkParams("toSummedHeads", params, ["query", "key", "value", "output"]);
  const { query, key, value, output, sinks, queryNorm, keyNorm } = params;
  const { shape } = checkTensor("toSummedHeads", "params.query.weight", query.weight);
  const [H, D, C] = shape as [number, number, number];
  if (shape.length !== 3 || D > C) {
    const expected = `[H, D, C] with D at most C = ${C}`;
    const fix = "a head that is larger than the model is wide has no form as wide as the model.";
    check.refuse({ argument: "params.query.weight", received: shape, expected, fix }, ShapeError);
  }
  if (queryNorm || keyNorm) {
    check.refuse({
      argument: "params.queryNorm",
      received: "gains of a qkNorm",
      expected: "a layer without qkNorm",
      fix: "a norm over C numbers is another than one over D: convert a layer that has none.",
    });
  }
  /** Repeats each key-value head for the query heads that share it. */
  const repeatHeads = (x: Tensor): Tensor => repeat(x, H / x.shape[0]!, 0);
  /** Pads each head with rows of zeros, from D rows to C. */
  const padRows = (x: Tensor): Tensor => {
    const [, , ...columns] = x.shape;
    return concat([x, zeros([H, C - D, ...columns], { dtype: x.dtype, device: x.device })], 1);
  };
  const wide = ({ weight, bias }: LinearParams): LinearParams => ({
    weight: padRows(repeatHeads(weight)),
    ...(bias && { bias: padRows(repeatHeads(bias)) }),
  });
  const valueBias = value.bias && matmul(output.weight, expandDims(repeatHeads(value.bias), 2)); // [H, C, 1]
  return {
    query: wide(query),
    key: wide(key),
    value: {
      weight: matmul(output.weight, repeatHeads(value.weight)),
      ...(valueBias && { bias: sum(valueBias, { axis: -1 }) }),
    },
    ...(output.bias && { bias: output.bias }),
    ...(sinks && { sinks }),
  };
}
