import { checkOptions, checks } from "@qkv/core";
import { add } from "../ops/add.js";
import { mul } from "../ops/mul.js";
import { sign } from "../ops/sign.js";
import { sub } from "../ops/sub.js";
import { checkDecay } from "./check-decay.js";
import { defineOptimizer, type Optimizer } from "./optimizer.js";
import { overwrite } from "./overwrite.js";
import { checkRate, type Schedule } from "./schedules.js";

/** Options of Lion. */
export type LionOptions = {
  /** Default 0.0001: a third to a tenth of AdamW's, because every number steps by the full rate. */
  learningRate?: number | Schedule;
  /** Weight of the running mean in the direction of the step, and decay rate of the mean. Default [0.9, 0.99]. */
  betas?: readonly [number, number];
  /** Decoupled weight decay, as in AdamW. Default 0. */
  weightDecay?: number;
};

/**
 * Lion: every number of a param steps by the learning rate, against the sign of a mean of its gradients. State: `mean`, half as much
 * as Adam's.
 *
 * @throws {ArgumentError} If an option is out of range.
 * @see "Symbolic Discovery of Optimization Algorithms" (2023), arXiv:2302.06675
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { lion } from "@qkv/tensor/optimizers";
 *
 * const params = { w: tensor([1, 2]) };
 * const optimizer = lion({ learningRate: 0.5 });
 * optimizer.update(params, { w: tensor([7, -0.1]) }, optimizer.init(params));
 * params.w.toNested(); // => [0.5, 2.5]
 * ```
 */
export function lion(options?: LionOptions): Optimizer {
  const checked = checkOptions("lion", options, ["learningRate", "betas", "weightDecay"]);
  const { learningRate = 1e-4, betas = [0.9, 0.99], weightDecay = 0 } = checked;
  checks("lion").each({ betas }, (pair) => Array.isArray(pair) && pair.length === 2, "a list of two numbers");
  betas.forEach((beta, i) => checkDecay("lion", `betas[${i}]`, beta));
  checkRate("lion", "weightDecay", weightDecay);
  const [beta1, beta2] = betas;
  return defineOptimizer("lion", learningRate, ["mean"], ({ param, gradient, moments: [mean], rate }) => {
    param.device.scope(() => {
      const direction = sign(add(mul(mean!, beta1), mul(gradient, 1 - beta1)));
      overwrite(param, sub(mul(param, 1 - rate * weightDecay), mul(direction, rate)));
      overwrite(mean!, add(mul(mean!, beta2), mul(gradient, 1 - beta2)));
    });
  });
}
