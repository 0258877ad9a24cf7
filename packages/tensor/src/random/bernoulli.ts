import { checkShape, refuse, type Shape, sizeOf } from "@qkv/core";
import { createTensor } from "../create.js";
import type { Tensor } from "../tensor.js";
import type { RandomOptions } from "./randn.js";
import { randomOptions, uniformStream } from "./uniforms.js";

/**
 * Random bools that are true with a probability.
 *
 * @param options - `seed`: an integer. `probability`: from 0 to 1, default 0.5. `draw`, `first`: default 0.
 * @throws {ArgumentError} If the probability is not from 0 to 1.
 *
 * @example
 * ```ts
 * import { bernoulli } from "@qkv/tensor";
 *
 * bernoulli([3], { seed: 1, probability: 1 }).toNested(); // => [true, true, true]
 * ```
 */
export function bernoulli(
  shape: Shape,
  options: Omit<RandomOptions, "dtype"> & { probability?: number },
): Tensor {
  const { probability = 0.5, device, ...stream } = randomOptions("bernoulli", options, "probability");
  if (!(probability >= 0 && probability <= 1)) {
    refuse(
      "bernoulli",
      "probability",
      probability,
      "a number from 0 to 1",
      "a percentage is divided by 100.",
    );
  }
  const uniforms = uniformStream("bernoulli", stream, sizeOf(checkShape("bernoulli", shape)));
  return createTensor("bernoulli", "bool", shape, device, (array) => {
    for (let i = 0; i < array.length; i++) array[i] = Number(uniforms[i]! < probability);
  });
}
