import { checks, type Checks } from "@qkv/core";
import { denseSegment, type KeyValues } from "@qkv/attention-contract";
import {
  add,
  concat,
  exp,
  mul,
  ones,
  randn,
  rmsNorm,
  slice,
  splitSeed,
  sub,
  sum,
  type Tensor,
} from "@qkv/tensor";

/** The learned vectors from which λ is computed, `[D]` each. */
export type DifferentialParams = {
  lambdaQ1: Tensor;
  lambdaK1: Tensor;
  lambdaQ2: Tensor;
  lambdaK2: Tensor;
};

/** Subtracts the attention of the second half of the heads from that of the first. */
export type Differential = {
  /** The call that created it: `differential({ lambdaInit: 0.8 })`. */
  readonly name: string;
  /** Random vectors: normal with a standard deviation of 0.1, as in DiffLlama. */
  init(headDim: number, seed: number): DifferentialParams;
  /** Values `[B, Hkv, S, D]` to `[B, Hkv, S, 2 · D]`: those of KV heads g and g + Hkv / 2, side by side, for both. */
  pairValues(keyValues: KeyValues, batchSize: number): KeyValues;
  /** Outputs of all heads, `[B, H, T, 2 · D]`, to the normalized difference of both halves, `[B, H / 2, T, 2 · D]`. */
  subtract(params: DifferentialParams | undefined, heads: Tensor): Tensor;
};

const names = ["lambdaQ1", "lambdaK1", "lambdaQ2", "lambdaK2"] as const;

/**
 * Differential attention: `(softmax₁ − λ softmax₂) V`. Head h of the first half of the heads forms a pair with head h + H / 2: both
 * weigh the values of the two heads, 2 · D numbers side by side, and λ times the second result is subtracted from the first, as a
 * differential amplifier cancels the noise common to its inputs. The difference is normalized: `(1 − lambdaInit) · RMSNorm`, without a gain.
 *
 * `λ = e^(q₁ · k₁) − e^(q₂ · k₂) + lambdaInit`, with learned vectors q₁, k₁, q₂, k₂ (`params.differential`). With λ = 0 only the first
 * attention map counts; with equal maps the result is `1 − λ` times one of them, and the norm removes the magnitude of the factor. A cache holds the
 * same tensors as for plain attention; paired values are copied at each read. Costs twice as many products with values.
 *
 * @param options - `lambdaInit`: default 0.8. The paper uses {@link lambdaInitOfLayer}. `eps`: added to the mean square of
 *   the norm. Default 1e-5.
 * @returns A value for the option `differential` of `multiHead`, `groupedQuery` and `crossAttention`. Their `numHeads` and
 *   `numKvHeads` must be even.
 * @throws {ArgumentError} If `lambdaInit` is not between 0 and 1 (1 excluded), or `eps` is negative.
 * @see "Differential Transformer" (2024), arXiv:2410.05258; the pairs are DiffLlama's
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { causal, differential, groupedQuery } from "@qkv/attention";
 *
 * const heads = { embedDim: 8, numHeads: 4, numKvHeads: 2, mask: causal() };
 * const layer = groupedQuery({ ...heads, differential: differential() });
 * layer.apply(layer.init(1), randn([1, 3, 8], { seed: 2 })).shape; // => [1, 3, 8]
 * ```
 */
export function differential(options?: { lambdaInit?: number; eps?: number }): Differential {
  const check: Checks = checks("differential");
  const { lambdaInit = 0.8, eps = 1e-5 } = check.options(options, ["lambdaInit", "eps"]);
  const isPart = typeof lambdaInit === "number" && lambdaInit >= 0 && lambdaInit < 1;
  check.each({ lambdaInit }, () => isPart, "a number from 0 to less than 1", "leave it out for 0.8.");
  check.finite({ eps }, { min: 0, fix: "leave it out for 1e-5." });
  return {
    name: `differential({ lambdaInit: ${lambdaInit} })`,
    init(headDim, seed) {
      const seeds = splitSeed(seed, names);
      const vector = (name: (typeof names)[number]) => mul(randn([headDim], { seed: seeds[name] }), 0.1);
      return {
        lambdaQ1: vector("lambdaQ1"),
        lambdaK1: vector("lambdaK1"),
        lambdaQ2: vector("lambdaQ2"),
        lambdaK2: vector("lambdaK2"),
      };
    },
    pairValues: ({ key, value, positions }, batchSize) => ({
      positions,
      key: key.map((segment) => denseSegment(segment, batchSize)),
      value: value.map((segment) => {
        const dense = denseSegment(segment, batchSize);
        const half = dense.shape[1]! / 2;
        const pairs = concat([slice(dense, 1, 0, half), slice(dense, 1, half)], 3);
        return concat([pairs, pairs], 1);
      }),
    }),
    subtract(params, heads) {
      const missing = names.find((name) => !params?.[name]);
      if (!params || missing) {
        return checks("apply").refuse({
          argument: `params.differential${missing && params ? `.${missing}` : ""}`,
          received: params && missing ? params[missing] : params,
          expected: "four vectors [D], as the layer is differential",
          fix: "take the params of `layer.init(seed)`, or load the vectors with the other weights.",
        });
      }
      const { lambdaQ1, lambdaK1, lambdaQ2, lambdaK2 } = params;
      const part = (a: Tensor, b: Tensor) => exp(sum(mul(a, b)));
      const lambda = add(sub(part(lambdaQ1, lambdaK1), part(lambdaQ2, lambdaK2)), lambdaInit);
      const half = heads.shape[1]! / 2;
      const difference = sub(slice(heads, 1, 0, half), mul(lambda, slice(heads, 1, half)));
      const gain = ones([heads.shape[3]!], { dtype: heads.dtype, device: heads.device });
      return mul(rmsNorm(difference, gain, { eps }), 1 - lambdaInit);
    },
  };
}

/**
 * Returns the `lambdaInit` of a layer of the Differential Transformer: `0.8 − 0.6 · e^(−0.3 · layer)`, so from 0.2 in
 * the first layer to 0.8 in deep ones.
 *
 * @param layer - From 0.
 * @throws {ArgumentError} If `layer` is not an integer of at least 0.
 *
 * @example
 * ```ts
 * import { lambdaInitOfLayer } from "@qkv/attention";
 *
 * lambdaInitOfLayer(0).toFixed(3); // => "0.200"
 * ```
 */
export function lambdaInitOfLayer(layer: number): number {
  checks("lambdaInitOfLayer").whole({ layer }, { min: 0, fix: "count layers from 0." });
  return 0.8 - 0.6 * Math.exp(-0.3 * layer);
}
