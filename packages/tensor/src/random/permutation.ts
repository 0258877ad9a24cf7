import { checks } from "@qkv/core";
import { createTensor } from "../create.js";
import type { Tensor } from "../tensor.js";
import type { RandomOptions } from "./randn.js";
import { randomOptions, streamOf } from "./uniforms.js";

/**
 * The numbers from 0 to `n - 1` in random order: each order is equally likely.
 *
 * @param options - `seed`: a whole number. `first`: default 0.
 * @returns int32, `[n]`.
 *
 * @example
 * ```ts
 * import { permutation, sort } from "@qkv/tensor";
 *
 * sort(permutation(4, { seed: 1 })).toNested(); // => [0, 1, 2, 3]
 * ```
 */
export function permutation(n: number, options: Omit<RandomOptions, "dtype">): Tensor {
  const { device, ...stream } = randomOptions("permutation", options);
  checks("permutation").whole({ n }, { min: 0 });
  const uniforms = streamOf("permutation", stream, n);
  return createTensor("permutation", "int32", [n], device, (array) => {
    for (let i = 0; i < n; i++) array[i] = i;
    // Each element, from the last, is swapped with one of those up to itself.
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(uniforms[i]! * (i + 1));
      [array[i], array[j]] = [array[j]!, array[i]!];
    }
  });
}
