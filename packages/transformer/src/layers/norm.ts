import { checks, type Checks } from "@qkv/core";
import { checkTensor, layerNorm, mul, ones, rmsNorm, zeros, type Tensor } from "@qkv/tensor";
import { checkParams } from "./check-params.js";

/**
 * `layer`: mean 0 and variance 1, then a gain and a bias. `rms`: mean square 1, then a gain. `none`: only the gain, as in small
 * interpretable models without norms.
 */
export type NormKind = "layer" | "rms" | "none";

/** The gain of a norm, `[C]`, and the bias of a layer norm, `[C]`. */
export type NormParams = { weight: Tensor; bias?: Tensor };

/** A norm: created from its configuration; the params are passed to each call. */
export type Norm = {
  /** Gains of 1, biases of 0. */
  init(): NormParams;
  /** `[…, C]` to the same shape. */
  apply(params: NormParams, x: Tensor): Tensor;
};

/**
 * A norm over the last axis, with a learned gain.
 *
 * @param config - `embedDim`: C. `kind`: `rms` (Llama), `layer` (GPT-2, BERT) or `none`. `eps`: added to the mean square.
 *   Default 1e-5.
 * @throws {ArgumentError} If there is no such kind.
 * @see "Layer Normalization" (2016), arXiv:1607.06450; "Root Mean Square Layer Normalization" (2019), arXiv:1910.07467
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { norm } from "@qkv/transformer";
 *
 * const layer = norm({ kind: "layer", embedDim: 2, eps: 0 });
 * layer.apply(layer.init(), tensor([[1, 5]])).toNested(); // => [[-1, 1]]
 * ```
 */
export function norm(config: { kind: NormKind; embedDim: number; eps?: number }): Norm {
  const { kind, embedDim: C, eps = 1e-5 } = check.options(config, ["kind", "embedDim", "eps"], "config");
  check.whole({ embedDim: C }, { min: 1 });
  check.finite({ eps }, { min: 0, fix: "give a small number, such as 1e-5." });
  const checked = (params: NormParams, x: Tensor): NormParams => {
    checkParams(onApply, params, ["weight"]);
    checkTensor("norm.apply", "x", x);
    return params;
  };
  if (kind === "rms") {
    return {
      init: () => ({ weight: ones([C]) }),
      apply: (params, x) => rmsNorm(x, checked(params, x).weight, { eps }),
    };
  }
  if (kind === "none") {
    return { init: () => ({ weight: ones([C]) }), apply: (params, x) => mul(x, checked(params, x).weight) };
  }
  if (kind === "layer") {
    return {
      init: () => ({ weight: ones([C]), bias: zeros([C]) }),
      apply(params, x) {
        const { weight, bias } = checked(params, x);
        return layerNorm(x, weight, bias, { eps });
      },
    };
  }
  check.refuse({
    argument: "kind",
    received: kind,
    expected: '"layer", "rms" or "none"',
    fix: 'take "rms" for Llama and its kin, "layer" for GPT-2 and BERT.',
  });
}

const check: Checks = /* @__PURE__ */ checks("norm");
const onApply: Checks = /* @__PURE__ */ checks("norm.apply");
