import { checks, type DType } from "@qkv/core";
import type { Device } from "../contracts.js";
import { creationOptions, numbersFrom } from "../create.js";
import type { Tensor } from "../tensor.js";

/**
 * Evenly spaced numbers from `start` to `stop`, both included.
 *
 * @param count - 1 or more; a single number is `start`.
 * @param options - `dtype`: default float32.
 * @throws {ArgumentError} If the count is not an integer of at least 1.
 *
 * @example
 * ```ts
 * import { linspace } from "@qkv/tensor";
 *
 * linspace(0, 1, 5).toNested(); // => [0, 0.25, 0.5, 0.75, 1]
 * ```
 */
export function linspace(
  start: number,
  stop: number,
  count: number,
  options?: { dtype?: DType; device?: Device },
): Tensor {
  const check = checks("linspace");
  check.finite({ start, stop });
  check.whole({ count }, { min: 1 });
  const share = (i: number) => (count === 1 ? 0 : i / (count - 1));
  const of = (i: number) => start * (1 - share(i)) + stop * share(i);
  return numbersFrom("linspace", count, of, creationOptions("linspace", options));
}
