import { checkOptions, checks } from "@qkv/core";
import { defineOptimizer, type Optimizer } from "./optimizer.js";
import { checkDecay } from "./check-decay.js";
import { checkRate, type Schedule } from "./schedules.js";
import { updateInPlace, type RowUpdate } from "./update-in-place.js";

/** Options of Adam. */
export type AdamOptions = {
  /** Default 0.001. */
  learningRate?: number | Schedule;
  /** Decay rates of the running means of gradients and of their squares. Default [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the root of the mean square, so that the denominator is never zero. Default 1e-8. */
  eps?: number;
  /** `adam` adds weightDecay · param to the gradient, default 0; `adamW` subtracts rate · weightDecay · param from the param, default 0.01. */
  weightDecay?: number;
  /** True to divide by the root of the largest mean square so far instead of the latest. Default false. */
  amsgrad?: boolean;
};

/**
 * Adam: each number steps by its mean gradient divided by the root of its mean squared gradient, both corrected for their bias towards
 * the initial zeros. State: `mean` and `meanSquare`, with `amsgrad` also `largest`.
 *
 * @throws {ArgumentError} If an option is out of range.
 * @see "Adam: A Method for Stochastic Optimization" (2014), arXiv:1412.6980; "On the Convergence of Adam and
 *   Beyond" (2018), arXiv:1904.09237, for `amsgrad`
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { adam } from "@qkv/tensor/optimizers";
 *
 * const params = { w: tensor([1, 2]) };
 * const optimizer = adam({ learningRate: 0.5, eps: 0 });
 * optimizer.update(params, { w: tensor([7, -7]) }, optimizer.init(params));
 * params.w.toNested(); // => [0.5, 2.5]
 * ```
 */
export function adam(options?: AdamOptions): Optimizer {
  const checked = checkOptions("adam", options, names);
  return adamLike("adam", checked, { coupled: checked.weightDecay ?? 0, decoupled: 0 });
}

/**
 * Adam with decoupled weight decay: `rate · weightDecay · param` is subtracted from the param, without affecting the running means. State: `mean` and `meanSquare`, with `amsgrad` also `largest`.
 *
 * @throws {ArgumentError} If an option is out of range.
 * @see "Decoupled Weight Decay Regularization" (2017), arXiv:1711.05101
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { adamW } from "@qkv/tensor/optimizers";
 *
 * const params = { w: tensor([2]) };
 * const optimizer = adamW({ learningRate: 0.5, weightDecay: 1, eps: 0 });
 * optimizer.update(params, { w: tensor([7]) }, optimizer.init(params));
 * params.w.toNested(); // => [0.5]
 * ```
 */
export function adamW(options?: AdamOptions): Optimizer {
  const checked = checkOptions("adamW", options, names);
  return adamLike("adamW", checked, { coupled: 0, decoupled: checked.weightDecay ?? 0.01 });
}

const names = ["learningRate", "betas", "eps", "weightDecay", "amsgrad"] as const;

function adamLike(
  fn: string,
  options: AdamOptions,
  decay: { coupled: number; decoupled: number },
): Optimizer {
  const { learningRate = 0.001, betas = [0.9, 0.999], eps = 1e-8, amsgrad = false } = options;
  checks(fn).each({ betas }, (pair) => Array.isArray(pair) && pair.length === 2, "a list of two numbers");
  betas.forEach((beta, i) => checkDecay(fn, `betas[${i}]`, beta));
  checkRate(fn, "eps", eps);
  checks(fn).type({ amsgrad }, "boolean");
  checkRate(fn, "weightDecay", decay.coupled + decay.decoupled);
  const [beta1, beta2] = betas;
  const momentNames = ["mean", "meanSquare", ...(amsgrad ? ["largest"] : [])];
  return defineOptimizer(fn, learningRate, momentNames, (slot) => {
    const { param, gradient, moments, rate, step } = slot;
    updateInPlace(
      amsgrad ? "amsgrad" : "adam",
      amsgrad ? rowWithLargest : row,
      gradient,
      [param, ...moments],
      {
        beta1,
        beta2,
        eps,
        coupled: decay.coupled,
        shrink: 1 - rate * decay.decoupled,
        rate: rate / (1 - beta1 ** (step + 1)),
        correction: 1 / (1 - beta2 ** (step + 1)),
      },
    );
  });
}

type Attributes = {
  beta1: number;
  beta2: number;
  eps: number;
  coupled: number;
  shrink: number;
  /** Learning rate divided by the bias correction of the mean. */
  rate: number;
  /** Bias correction of the mean square. */
  correction: number;
};

const row: RowUpdate<Attributes> = ([P, M, S, G], [p, m, s, g], [dp, dm, ds, dg], n, attributes) => {
  const { beta1, beta2, eps, coupled, shrink, rate, correction } = attributes;
  for (let k = 0; k < n; k++) {
    const at = p! + k * dp!;
    const slope = G![g! + k * dg!]! + coupled * P![at]!;
    const mean = beta1 * M![m! + k * dm!]! + (1 - beta1) * slope;
    const meanSquare = beta2 * S![s! + k * ds!]! + (1 - beta2) * slope * slope;
    M![m! + k * dm!] = mean;
    S![s! + k * ds!] = meanSquare;
    P![at] = shrink * P![at]! - (rate * mean) / (Math.sqrt(meanSquare * correction) + eps);
  }
};

const rowWithLargest: RowUpdate<Attributes> = (arrays, at, steps, n, attributes) => {
  const [P, M, S, L, G] = arrays;
  const [p, m, s, l, g] = at;
  const [dp, dm, ds, dl, dg] = steps;
  const { beta1, beta2, eps, coupled, shrink, rate, correction } = attributes;
  for (let k = 0; k < n; k++) {
    const here = p! + k * dp!;
    const slope = G![g! + k * dg!]! + coupled * P![here]!;
    const mean = beta1 * M![m! + k * dm!]! + (1 - beta1) * slope;
    const meanSquare = beta2 * S![s! + k * ds!]! + (1 - beta2) * slope * slope;
    const largest = Math.max(L![l! + k * dl!]!, meanSquare);
    M![m! + k * dm!] = mean;
    S![s! + k * ds!] = meanSquare;
    L![l! + k * dl!] = largest;
    P![here] = shrink * P![here]! - (rate * mean) / (Math.sqrt(largest * correction) + eps);
  }
};
