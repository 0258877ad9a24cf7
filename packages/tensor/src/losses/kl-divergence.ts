import { checkOneOf, checkOptions, checks } from "@qkv/core";
import { div } from "../ops/div.js";
import { equal } from "../ops/equal.js";
import { exp } from "../ops/exp.js";
import { log } from "../ops/log.js";
import { mul } from "../ops/mul.js";
import { sub } from "../ops/sub.js";
import { sum } from "../ops/sum.js";
import { where } from "../ops/where.js";
import type { Tensor } from "../tensor.js";
import { checkSameShape, reduceLosses, type LossOptions } from "./reduce-losses.js";

/** Options of the Kullback–Leibler divergence. */
export type KlDivergenceOptions = {
  /** True if the target holds logarithms of probabilities. Default false. */
  logTarget?: boolean;
  /**
   * `"batchMean"` (default): the sum divided by the length of the first axis, the mean divergence of a pair of distributions.
   * `"mean"` also divides by the number of classes.
   */
  reduction?: LossOptions["reduction"] | "batchMean";
};

/**
 * The Kullback–Leibler divergence of a prediction from a target, in nats: `Σ target · (log target − log prediction)`. Classes
 * with probability 0 contribute nothing.
 *
 * @param logPrediction - `[B, …, V]`: logarithms of probabilities, as `logSoftmax` gives them.
 * @param target - Probabilities of the same shape and type, or with `logTarget` their logarithms.
 * @param options - `logTarget`: default false. `reduction`: default `"batchMean"`.
 * @returns One number `[]`, or the shape of the target for the reduction `"none"`.
 * @throws {ShapeError} If the shapes differ.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or an option is unknown.
 *
 * @example
 * ```ts
 * import { log, tensor } from "@qkv/tensor";
 * import { klDivergence } from "@qkv/tensor/losses";
 *
 * klDivergence(log(tensor([[0.5, 0.5]])), tensor([[1, 0]])).toNested(); // => 0.6931
 * ```
 */
export function klDivergence(logPrediction: Tensor, target: Tensor, options?: KlDivergenceOptions): Tensor {
  const { logTarget = false, reduction = "batchMean" } = checkOptions("klDivergence", options, [
    "logTarget",
    "reduction",
  ]);
  checks("klDivergence").type({ logTarget }, "boolean");
  const reductions = ["batchMean", "mean", "sum", "none"];
  checkOneOf(
    "klDivergence",
    "reduction",
    reduction,
    reductions,
    "leave it out for the divergence of a pair.",
  );
  checkSameShape("klDivergence", { logPrediction }, { target });
  const losses = logTarget
    ? mul(exp(target), sub(target, logPrediction))
    : // The logarithm of 0 is infinite, times 0 NaN.
      mul(target, sub(log(where(equal(target, 0), 1, target)), logPrediction));
  if (reduction !== "batchMean") return reduceLosses("klDivergence", losses, reduction);
  return div(sum(losses), target.shape[0] ?? 1);
}
