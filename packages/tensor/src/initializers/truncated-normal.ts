import { checkFloat, checks, checkShape, type Shape, sizeOf } from "@qkv/core";
import { createTensor } from "../create.js";
import { erf } from "../erf.js";
import type { Tensor } from "../tensor.js";
import { normalQuantile } from "../random/normal.js";
import type { RandomOptions } from "../random/randn.js";
import { randomOptions, uniformStream } from "../random/uniforms.js";

/**
 * Normally distributed numbers, truncated to the range between two limits (by the inverse CDF, without rejection).
 *
 * @param options - `seed`: an integer. `mean`: default 0. `std`: default 1. `low`, `high`: default two standard deviations
 *   around the mean. `dtype`: default float32.
 * @throws {ArgumentError} If `high` is not above `low`, or the probability of the range is 0.
 *
 * @example
 * ```ts
 * import { truncatedNormal } from "@qkv/tensor/initializers";
 *
 * const weight = truncatedNormal([1000], { seed: 1, std: 0.02 });
 * weight.data.every((x) => Math.abs(x) <= 0.04); // => true
 * ```
 */
export function truncatedNormal(
  shape: Shape,
  options: RandomOptions & { mean?: number; std?: number; low?: number; high?: number },
): Tensor {
  const fn = "truncatedNormal";
  const checked = randomOptions(fn, options, "dtype", "mean", "std", "low", "high");
  const { mean = 0, std = 1, dtype = "float32", device, ...rest } = checked;
  const { low = mean - 2 * std, high = mean + 2 * std, ...stream } = rest;
  const check = checks(fn);
  check.finite({ mean, low, high });
  check.finite({ std }, { above: 0 });
  check.finite({ high }, { above: low, fix: "give the smaller limit as `low`." });
  checkFloat(fn, dtype);
  const cdf = (limit: number) => (1 + erf((limit - mean) / std / Math.SQRT2)) / 2;
  const [lowProbability, highProbability] = [cdf(low), cdf(high)];
  check.each(
    { low },
    () => highProbability > lowProbability,
    "limits around some of the distribution",
    "take limits nearer to the mean.",
  );
  const uniforms = uniformStream(fn, stream, sizeOf(checkShape(fn, shape)));
  return createTensor(fn, dtype, shape, device, (array) => {
    for (let i = 0; i < array.length; i++) {
      const value =
        mean + std * normalQuantile(lowProbability + (highProbability - lowProbability) * uniforms[i]!);
      array[i] = Math.min(high, Math.max(low, value));
    }
  });
}
