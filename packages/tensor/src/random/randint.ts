import { checks, checkShape, type Shape, sizeOf } from "@qkv/core";
import { createTensor } from "../create.js";
import type { Tensor } from "../tensor.js";
import type { RandomOptions } from "./randn.js";
import { randomOptions, uniformStream } from "./uniforms.js";

/**
 * Uniformly distributed integers from `low` up to but excluding `high`.
 *
 * @param options - `seed`: an integer. `high`: above `low`. `low`: default 0. `draw`, `first`: default 0.
 * @returns int32.
 * @throws {ArgumentError} If `high` is not above `low`, or one of them is not an integer.
 *
 * @example
 * ```ts
 * import { max, randint } from "@qkv/tensor";
 *
 * max(randint([100], { seed: 1, high: 6 })).toNested(); // => 5
 * ```
 */
export function randint(
  shape: Shape,
  options: Omit<RandomOptions, "dtype"> & { low?: number; high: number },
): Tensor {
  const { low = 0, high, device, ...stream } = randomOptions("randint", options, "low", "high");
  const bounds = { min: -(2 ** 31), max: 2 ** 31 };
  checks("randint").whole({ low, high }, bounds);
  checks("randint").whole({ high }, { above: low, fix: "give the smaller limit as `low`." });
  const uniforms = uniformStream("randint", stream, sizeOf(checkShape("randint", shape)));
  return createTensor("randint", "int32", shape, device, (array) => {
    for (let i = 0; i < array.length; i++) array[i] = low + Math.floor((high - low) * uniforms[i]!);
  });
}
