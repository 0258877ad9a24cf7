import { checkOptions, checks } from "@qkv/core";
import { floatTensor } from "../float-tensor.js";
import { reducedAxes, type ReduceOptions } from "../reduce.js";
import type { Tensor } from "../tensor.js";
import { div } from "./div.js";
import { mean } from "./mean.js";
import { square } from "./square.js";
import { sub } from "./sub.js";
import { sum } from "./sum.js";

/**
 * The variance over one axis, several, or all: the sum of squared differences from the mean, divided by `count - correction`. The mean
 * is subtracted first, which is accurate also for a large mean.
 *
 * @param options - `axis`: default all. `keepDims`: default false. `correction`: default 1 (Bessel's correction, for a
 *   sample, as in PyTorch); 0 for a whole population, as in numpy.
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 *
 * @example
 * ```ts
 * import { tensor, variance } from "@qkv/tensor";
 *
 * variance(tensor([1, 2, 3])).toNested(); // => 1
 * variance(tensor([1, 3]), { correction: 0 }).toNested(); // => 1
 * ```
 */
export function variance(x: Tensor, options?: ReduceOptions & { correction?: number }): Tensor {
  return varianceFor("variance", x, options);
}

/** {@link variance} for a public function `fn`, which errors name. */
export function varianceFor(
  fn: string,
  x: Tensor,
  options: (ReduceOptions & { correction?: number }) | undefined,
): Tensor {
  const names = ["correction", "axis", "keepDims"] as const;
  const { correction = 1, ...reduceOptions } = checkOptions(fn, options, names);
  checks(fn).finite({ correction });
  const { axes, keepDims } = reducedAxes(fn, floatTensor(fn, "x", x), reduceOptions);
  const count = axes.reduce((product, axis) => product * x.shape[axis]!, 1);
  const distances = sub(x, mean(x, { axis: axes, keepDims: true }));
  return div(sum(square(distances), { axis: axes, keepDims }), Math.max(0, count - correction));
}
