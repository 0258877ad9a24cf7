import { checkFloat, checks, checkShape, type DType, type Shape, sizeOf } from "@qkv/core";
import type { Device } from "../contracts.js";
import { createTensor } from "../create.js";
import type { Tensor } from "../tensor.js";
import { normalQuantile } from "./normal.js";
import { randomOptions, uniformStream } from "./uniforms.js";

/** Options of a random tensor. */
export type RandomOptions = {
  /** An integer. */
  seed: number;
  /** Index of the seed's stream: an integer, 0 or more. Streams are independent. Default 0. */
  draw?: number;
  /**
   * Index of the first number in the stream, to create a long tensor in parts. Default 0. For successive draws increment `draw`
   * instead: overlapping ranges of a stream have the same numbers.
   */
  first?: number;
  /** Default float32. */
  dtype?: DType;
  /** Default: the plain device. */
  device?: Device;
};

/**
 * Normally distributed numbers with mean 0 and variance 1. The same seed gives the same bits in every engine, on
 * every device.
 *
 * @param options - `seed`: an integer. `dtype`: default float32.
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 *
 * const x = randn([2, 3], { seed: 1 });
 * x.shape; // => [2, 3]
 * x.data[0] === randn([6], { seed: 1 }).data[0]; // => true
 * ```
 */
export function randn(shape: Shape, options: RandomOptions): Tensor {
  const { dtype = "float32", device, ...stream } = randomOptions("randn", options, "dtype");
  checkFloat("randn", dtype);
  const uniforms = uniformStream("randn", stream, sizeOf(checkShape("randn", shape)));
  return createTensor("randn", dtype, shape, device, (array) => {
    for (let i = 0; i < array.length; i++) array[i] = normalQuantile(uniforms[i]!);
  });
}

/**
 * Uniformly distributed numbers between `low` and `high`.
 *
 * @param options - `seed`: an integer. `low`: default 0. `high`: default 1. `dtype`: default float32.
 * @throws {ArgumentError} If `low` is above `high`.
 */
export function uniform(shape: Shape, options: RandomOptions & { low?: number; high?: number }): Tensor {
  const checked = randomOptions("uniform", options, "dtype", "low", "high");
  const { low = 0, high = 1, dtype = "float32", device, ...stream } = checked;
  const check = checks("uniform");
  check.finite({ low, high });
  check.finite({ high }, { min: low, fix: "give the smaller limit as `low`." });
  checkFloat("uniform", dtype);
  const uniforms = uniformStream("uniform", stream, sizeOf(checkShape("uniform", shape)));
  return createTensor("uniform", dtype, shape, device, (array) => {
    for (let i = 0; i < array.length; i++) array[i] = low + (high - low) * uniforms[i]!;
  });
}
