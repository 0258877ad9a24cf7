import { checks, type Checks } from "@qkv/core";
import {
  add,
  expm1,
  greater,
  minimum,
  mul,
  ones,
  softplus,
  sub,
  tensor,
  where,
  type Tensor,
} from "@qkv/tensor";

/** Params of `xielu`: curvatures before their softplus, `[1]`; `beta` and `eps` are constants, `[]`. */
export type XieluParams = { positive: Tensor; negative: Tensor; beta: Tensor; eps: Tensor };

/** Initial params: curvatures of 0.8 on both sides, a slope of 0.5 at 0. */
export function xieluParams(): XieluParams {
  const beforeSoftplus = (x: number) => mul(ones([1]), Math.log(Math.expm1(x)));
  return {
    positive: beforeSoftplus(0.8),
    negative: beforeSoftplus(0.8 - 0.5),
    beta: tensor(0.5),
    eps: tensor(-1e-6),
  };
}

/**
 * xIELU: the integral of ELU, extended by learned curvatures. Above 0 `a x² + βx`, below `b (eˣ − 1 − x) + βx`, with
 * `a = softplus(positive)` and `b = β + softplus(negative)`.
 *
 * @see "Deriving Activation Functions Using Integration" (2024), arXiv:2411.13010
 */
export function xielu(x: Tensor, params: XieluParams | undefined): Tensor {
  if (!params) {
    return check.refuse({
      argument: "params.xielu",
      received: params,
      expected: "positive, negative, beta and eps, as the activation is xielu",
      fix: "take the params of `init(seed)`, or load those of a checkpoint.",
    });
  }
  const { positive, negative, beta, eps } = params;
  const above = mul(softplus(positive), mul(x, x));
  const curvature = add(beta, softplus(negative));
  const below = mul(curvature, sub(expm1(minimum(x, eps)), x));
  return add(where(greater(x, 0), above, below), mul(beta, x));
}

const check: Checks = /* @__PURE__ */ checks("feedForward.apply");
