import { checks } from "@qkv/core";
import { createTensor } from "../create.js";
import type { Tensor } from "../tensor.js";
import type { RandomOptions } from "./randn.js";
import { randomOptions, uniformStream } from "./uniforms.js";

/**
 * A random permutation of the numbers from 0 to `n - 1`, uniformly distributed.
 *
 * @param options - `seed`: an integer. `first`: default 0.
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
  const uniforms = uniformStream("permutation", stream, n);
  return createTensor("permutation", "int32", [n], device, (array) => {
    for (let i = 0; i < n; i++) array[i] = i;
    // Fisher–Yates shuffle: from the last element on, swap each with a random one up to itself.
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(uniforms[i]! * (i + 1));
      [array[i], array[j]] = [array[j]!, array[i]!];
    }
  });
}
