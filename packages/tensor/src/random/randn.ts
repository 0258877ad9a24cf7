import { allocateArray, checkFloat, checkShape, type DType, type Shape, sizeOf } from "@qkv/core";
import type { Device } from "../contracts.js";
import { place } from "../create.js";
import type { Tensor } from "../tensor.js";
import { normalQuantile } from "./normal.js";
import { fillUniforms, seedKey } from "./uniforms.js";

/** What a random tensor is made of, besides its shape. */
export type RandomOptions = {
  /** A whole number. */
  seed: number;
  /** Which number of the seed's endless stream comes first. Default 0. */
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
 * @param options - `seed`: a whole number. `dtype`: default float32.
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
export function randn(shape: Shape, { seed, first = 0, dtype = "float32", device }: RandomOptions): Tensor {
  const array = allocateArray(checkFloat("randn", dtype), sizeOf(checkShape("randn", shape)));
  const uniforms = new Float64Array(array.length);
  fillUniforms(uniforms, seedKey("randn", seed), first);
  for (let i = 0; i < array.length; i++) array[i] = normalQuantile(uniforms[i]!);
  return place(array, dtype, shape, device);
}

/**
 * Numbers spread evenly between `low` and `high`.
 *
 * @param options - `seed`: a whole number. `low`: default 0. `high`: default 1. `dtype`: default float32.
 */
export function uniform(
  shape: Shape,
  {
    seed,
    first = 0,
    low = 0,
    high = 1,
    dtype = "float32",
    device,
  }: RandomOptions & { low?: number; high?: number },
): Tensor {
  const array = allocateArray(checkFloat("uniform", dtype), sizeOf(checkShape("uniform", shape)));
  const uniforms = new Float64Array(array.length);
  fillUniforms(uniforms, seedKey("uniform", seed), first);
  for (let i = 0; i < array.length; i++) array[i] = low + (high - low) * uniforms[i]!;
  return place(array, dtype, shape, device);
}
