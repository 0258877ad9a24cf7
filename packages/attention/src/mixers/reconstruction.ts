import { add, div, mean, mul, reshape, sqrt, sub, variance, type Tensor } from "@qkv/tensor";

/** Weights of the layer norm of the inner model (the state that is trained): one set per head. */
export type InnerNorm = {
  /** `[H, K]` */
  readonly weight: Tensor;
  /** `[H, K]` */
  readonly bias: Tensor;
  readonly eps: number;
};

/**
 * Gradient of the inner loss with respect to the prediction of the inner model.
 *
 * @param prediction - Output of the state for the keys, `[B, H, C, K]`.
 * @param target - Output to learn, `[B, H, C, K]`.
 */
export type InnerGradient = (prediction: Tensor, target: Tensor, norm: InnerNorm) => Tensor;

/** The gradient of `½ ‖layerNorm(prediction) − target‖²` with respect to the prediction. */
export const layerNormGradient: InnerGradient = (prediction, target, { weight, bias, eps }) => {
  const { normalized, deviation } = normalize(prediction, eps);
  const [gain, shift] = [perHead(weight), perHead(bias)];
  const slope = mul(sub(add(mul(gain, normalized), shift), target), gain);
  const along = mul(normalized, mean(mul(slope, normalized), { axis: -1, keepDims: true }));
  return div(sub(sub(slope, mean(slope, { axis: -1, keepDims: true })), along), deviation);
};

/** `x + layerNorm(x)`: the output of a trained state, x being its answer to the queries. `[B, H, C, K]` */
export function withNormalized(x: Tensor, { weight, bias, eps }: InnerNorm): Tensor {
  return add(x, add(mul(normalize(x, eps).normalized, perHead(weight)), perHead(bias)));
}

function normalize(x: Tensor, eps: number): { normalized: Tensor; deviation: Tensor } {
  const deviation = sqrt(add(variance(x, { axis: -1, keepDims: true, correction: 0 }), eps));
  return { normalized: div(sub(x, mean(x, { axis: -1, keepDims: true })), deviation), deviation };
}

/** `[H, K]` to `[H, 1, K]`. */
const perHead = (x: Tensor): Tensor => reshape(x, [x.shape[0]!, 1, x.shape[1]!]);
