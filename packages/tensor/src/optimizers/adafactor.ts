import { checkOptions, checks, type Shape } from "@qkv/core";
import { add } from "../ops/add.js";
import { div } from "../ops/div.js";
import { maximum } from "../ops/maximum.js";
import { mean } from "../ops/mean.js";
import { mul } from "../ops/mul.js";
import { rsqrt } from "../ops/rsqrt.js";
import { sqrt } from "../ops/sqrt.js";
import { square } from "../ops/square.js";
import { sub } from "../ops/sub.js";
import type { Tensor } from "../tensor.js";
import { defineOptimizer, type Optimizer } from "./optimizer.js";
import { overwrite } from "./overwrite.js";
import { checkRate, type Schedule } from "./schedules.js";

/** Options of Adafactor. */
export type AdafactorOptions = {
  /** Largest relative step, which is also at most `1 / √step`. Default 0.01. */
  learningRate?: number | Schedule;
  /** Exponent of the step: `step ** beta2Decay` is the weight of the newest gradient in the running means. Default -0.8. */
  beta2Decay?: number;
  /** Lower limit of the root mean square of a param, to which its steps are relative. Default 0.001. */
  minScale?: number;
  /** Largest root mean square of a step before it is scaled. Default 1. */
  clipThreshold?: number;
  /** Decoupled weight decay, as in AdamW. Default 0. */
  weightDecay?: number;
};

/**
 * Adafactor: like Adam without the mean, but for a matrix it stores only the mean squares of rows and of columns, whose product
 * approximates those of its numbers. Steps are relative to the root mean square of the param. State: `rows` and `columns` of params with two axes or
 * more, `meanSquare` of others.
 *
 * @throws {ArgumentError} If an option is out of range.
 * @see "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost" (2018), arXiv:1804.04235; the defaults are PyTorch's
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { adafactor } from "@qkv/tensor/optimizers";
 *
 * const { moments } = adafactor().init({ w: zeros([300, 200]) });
 * [moments.rows?.w.shape, moments.columns?.w.shape]; // => [[300, 1], [1, 200]]
 * ```
 */
export function adafactor(options?: AdafactorOptions): Optimizer {
  const names = ["learningRate", "beta2Decay", "minScale", "clipThreshold", "weightDecay"] as const;
  const checked = checkOptions("adafactor", options, names);
  const {
    learningRate = 0.01,
    beta2Decay = -0.8,
    minScale = 1e-3,
    clipThreshold = 1,
    weightDecay = 0,
  } = checked;
  const check = checks("adafactor");
  check.finite({ beta2Decay }, { max: 0 });
  check.finite({ minScale, clipThreshold }, { above: 0 });
  checkRate("adafactor", "weightDecay", weightDecay);
  return defineOptimizer(
    "adafactor",
    learningRate,
    ["rows", "columns", "meanSquare"],
    ({ param, gradient, moments, rate, step }) => {
      param.device.scope(() => {
        const newest = (step + 1) ** beta2Decay;
        // Machine epsilon of the dtype, as in PyTorch.
        const eps = param.dtype === "float64" ? 2 ** -52 : 2 ** -23;
        const squares = square(gradient);
        const take = (moment: Tensor, now: Tensor) =>
          overwrite(moment, add(moment, mul(sub(now, moment), newest)));
        const [rows, columns] = moments as [Tensor, Tensor | undefined];
        take(rows, columns ? mean(squares, { axis: -1, keepDims: true }) : squares);
        if (columns) take(columns, mean(squares, { axis: -2, keepDims: true }));
        const estimate = columns
          ? div(mul(rows, columns), maximum(mean(rows, { axis: -2, keepDims: true }), eps))
          : rows;
        const update = mul(gradient, rsqrt(maximum(estimate, eps * eps)));
        const size = mul(maximum(rootMeanSquare(param), minScale), Math.min(rate, 1 / Math.sqrt(step + 1)));
        const clip = maximum(div(rootMeanSquare(update), clipThreshold), 1);
        overwrite(param, sub(mul(param, 1 - rate * weightDecay), mul(update, div(size, clip))));
      });
    },
    shapeOfMoment,
  );
}

const rootMeanSquare = (x: Tensor) => sqrt(mean(square(x)));

function shapeOfMoment(name: string, shape: Shape): Shape | undefined {
  if (name === "meanSquare") return shape.length < 2 ? shape : undefined;
  if (shape.length < 2) return undefined;
  return shape.with(name === "rows" ? -1 : -2, 1);
}
