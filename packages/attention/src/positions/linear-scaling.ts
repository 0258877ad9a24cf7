import { checks } from "@qkv/core";
import { fromModel, plainFrequencies, type RopeScaling } from "./rope-scaling.js";

/**
 * Position interpolation: every pair rotates `factor` times slower, so a text `factor` times as long covers the trained
 * range of angles. Neighboring tokens also move closer together, so models are fine-tuned for it.
 *
 * @param factor - 1 or more.
 * @throws {ArgumentError} If `factor` is below 1.
 * @see "Extending Context Window of Large Language Models via Positional Interpolation" (2023), arXiv:2306.15595
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { linearScaling, rope } from "@qkv/attention";
 *
 * const x = randn([1, 1, 1, 8], { seed: 1 }); // [B, H, T, D]
 * const slow = rope({ headDim: 8, scaling: linearScaling(4) }).apply(x, { start: 12 });
 * slow.data[0] === rope({ headDim: 8 }).apply(x, { start: 3 }).data[0]; // => true
 * ```
 */
export function linearScaling(factor: number): RopeScaling {
  checks("linearScaling").finite({ factor }, { min: 1, fix: fromModel });
  return {
    name: `linearScaling(${factor})`,
    rotaryFrequencies: ({ base, rotaryDim }) => ({
      frequencies: plainFrequencies(base, rotaryDim).map((frequency) => frequency / factor),
      attentionFactor: 1,
    }),
  };
}
