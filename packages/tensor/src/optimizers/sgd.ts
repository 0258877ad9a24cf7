import { checks } from "@qkv/core";
import { defineOptimizer, type Optimizer } from "./optimizer.js";
import { checkDecay } from "./check-decay.js";
import { checkRate, type Schedule } from "./schedules.js";
import { updateInPlace, type RowUpdate } from "./update-in-place.js";

/** Options of stochastic gradient descent. */
export type SgdOptions = {
  learningRate: number | Schedule;
  /** Decay rate of the velocity, from 0 to below 1. Default 0: no velocity is stored. */
  momentum?: number;
  /** Dampening: the gradient enters the velocity with the factor 1 − dampening. Default 0. */
  dampening?: number;
  /** True for Nesterov momentum: the step uses the velocity of the next update. Default false. */
  nesterov?: boolean;
  /** L2 penalty: weightDecay · param is added to the gradient. Default 0. */
  weightDecay?: number;
};

/**
 * Stochastic gradient descent: `param −= rate · velocity`, where `velocity = momentum · velocity + gradient`, in the
 * first step only the gradient. State: `velocity`, only with momentum.
 *
 * @throws {ArgumentError} If an option is out of range, or `nesterov` is used without momentum or
 *   with dampening.
 * @see "On the importance of initialization and momentum in deep learning" (2013), for Nesterov's form
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { sgd } from "@qkv/tensor/optimizers";
 *
 * const params = { w: tensor([1, 2]) };
 * const optimizer = sgd({ learningRate: 0.5 });
 * const state = optimizer.init(params);
 * optimizer.update(params, { w: tensor([1, -1]) }, state);
 * params.w.toNested(); // => [0.5, 2.5]
 * ```
 */
export function sgd(options: SgdOptions): Optimizer {
  const check = checks("sgd");
  const names = ["learningRate", "momentum", "dampening", "nesterov", "weightDecay"] as const;
  const {
    learningRate,
    momentum = 0,
    dampening = 0,
    nesterov = false,
    weightDecay = 0,
  } = check.options(options, names);
  check.finite({ dampening });
  check.type({ nesterov }, "boolean");
  checkDecay("sgd", "momentum", momentum);
  checkRate("sgd", "weightDecay", weightDecay);
  if (nesterov && (momentum === 0 || dampening !== 0)) {
    check.refuse({
      argument: "nesterov",
      received: nesterov,
      expected: "a momentum above 0, and no dampening",
      fix: "set `momentum`, 0.9 for example, and leave `dampening` out.",
    });
  }
  const momentNames = momentum > 0 ? ["velocity"] : [];
  return defineOptimizer("sgd", learningRate, momentNames, ({ param, gradient, moments, rate, step }) => {
    const taken = step === 0 ? 1 : 1 - dampening;
    const attributes = { rate, momentum, taken, nesterov, weightDecay };
    updateInPlace(
      "sgd",
      moments.length > 0 ? withVelocity : plain,
      gradient,
      [param, ...moments],
      attributes,
    );
  });
}

type Attributes = { rate: number; momentum: number; taken: number; nesterov: boolean; weightDecay: number };

const plain: RowUpdate<Attributes> = ([P, G], [p, g], [dp, dg], n, { rate, weightDecay }) => {
  for (let k = 0; k < n; k++) {
    const at = p! + k * dp!;
    P![at]! -= rate * (G![g! + k * dg!]! + weightDecay * P![at]!);
  }
};

const withVelocity: RowUpdate<Attributes> = ([P, V, G], [p, v, g], [dp, dv, dg], n, attributes) => {
  const { rate, momentum, taken, nesterov, weightDecay } = attributes;
  for (let k = 0; k < n; k++) {
    const at = p! + k * dp!;
    const slope = G![g! + k * dg!]! + weightDecay * P![at]!;
    const velocity = momentum * V![v! + k * dv!]! + taken * slope;
    V![v! + k * dv!] = velocity;
    P![at]! -= rate * (nesterov ? slope + momentum * velocity : velocity);
  }
};
