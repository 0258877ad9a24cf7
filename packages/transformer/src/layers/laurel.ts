import type { LinearParams } from "@qkv/attention";
import { checks, type Checks } from "@qkv/core";
import { add, checkTensor, linear, mul, randn, splitSeed, type Tensor } from "@qkv/tensor";
import { checkParams } from "./check-params.js";
import type { Norm, NormParams } from "./norm.js";

/** Params of LAuReL, a low-rank learned residual. */
export type LaurelParams = {
  /** `[R, C]` */
  left: LinearParams;
  /** `[C, R]` */
  right: LinearParams;
  /** `[C]` */
  norm: NormParams;
};

/** A learned residual: created from its configuration; the params are passed to each call. */
export type Laurel = {
  /** Random weights: normal with variance 1 / fan-in. */
  init(seed: number): LaurelParams;
  /** The input of attention, `[B, T, C]`, to `[B, T, C]`. */
  apply(params: LaurelParams, x: Tensor): Tensor;
};

/** Configuration of a learned residual. */
export type LaurelConfig = {
  /** C, the model width. */
  embedDim: number;
  /** R, the rank. */
  rank: number;
  /** The norm of the low-rank output. */
  norm: Norm;
  /** Computes the linear projections. Default: `linear` of @qkv/tensor; `anyLinear` takes quantized weights too. */
  linear?: typeof linear;
};

/**
 * A low-rank learned augmented residual layer (LAuReL): `x + norm(right(left x))`. A transformer layer adds it to the residual after attention,
 * and divides the sum by √2.
 *
 * @returns A value for the option `laurel` of `transformerLayer`.
 * @throws {ArgumentError} If a size is not an integer of at least 1.
 * @see "LAuReL: Learned Augmented Residual Layer" (2024), arXiv:2411.07501
 *
 * @example
 * ```ts
 * import { multiHead } from "@qkv/attention";
 * import { laurel, norm, transformerLayer } from "@qkv/transformer";
 *
 * const layerNorm = norm({ kind: "rms", embedDim: 8 });
 * const layer = transformerLayer({
 *   attention: multiHead({ embedDim: 8, numHeads: 2 }),
 *   norm: layerNorm,
 *   laurel: laurel({ embedDim: 8, rank: 2, norm: layerNorm }),
 * });
 * layer.init(1).laurel?.left.weight.shape; // => [2, 8]
 * ```
 */
export function laurel(config: LaurelConfig): Laurel {
  const names = ["embedDim", "rank", "norm", "linear"] as const;
  const {
    embedDim: C,
    rank: R,
    norm: layerNorm,
    linear: project = linear,
  } = check.options(config, names, "config");
  check.whole({ embedDim: C, rank: R }, { min: 1 });
  const isNorm = (value: unknown) => typeof (value as Partial<Norm> | undefined)?.apply === "function";
  check.each({ norm: layerNorm }, isNorm, "a norm", 'make one: `norm({ kind: "rms", embedDim })`.');
  check.type({ linear: project }, "function");
  return {
    init(seed) {
      const seeds = splitSeed(seed, ["left", "right"]);
      return {
        left: { weight: mul(randn([R, C], { seed: seeds.left }), C ** -0.5) },
        right: { weight: mul(randn([C, R], { seed: seeds.right }), R ** -0.5) },
        norm: layerNorm.init(),
      };
    },
    apply(params, x) {
      checkParams(onApply, params, ["left.weight", "right.weight", "norm"]);
      checkTensor("laurel.apply", "x", x);
      const { left, right, norm } = params;
      const lowRank = project(project(x, left.weight, left.bias), right.weight, right.bias); // [B, T, C]
      return add(x, layerNorm.apply(norm, lowRank));
    },
  };
}

const check: Checks = /* @__PURE__ */ checks("laurel");
const onApply: Checks = /* @__PURE__ */ checks("laurel.apply");
