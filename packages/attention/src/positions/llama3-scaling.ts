import { checks } from "@qkv/core";
import { fromModel, plainFrequencies, type RopeScaling } from "./rope-scaling.js";

export type Llama3ScalingOptions = {
  /** By how much slow pairs are slowed. Default 8. */
  factor?: number;
  /** Pairs whose wave is longer than `originalLength / lowFactor` are slowed. Default 1. */
  lowFactor?: number;
  /** Pairs whose wave is shorter than `originalLength / highFactor` stay as they are. Default 4. */
  highFactor?: number;
  /** The trained length. Unit: tokens. Default 8192. */
  originalLength?: number;
};

/**
 * The scaling of Llama 3.1: pairs with a short wavelength (`2π / frequency` tokens) stay unchanged, pairs with a long
 * one rotate `factor` times slower, and the change is gradual in between.
 *
 * @param options - `low_freq_factor`, `high_freq_factor` and `original_max_position_embeddings` of a configuration are
 *   `lowFactor`, `highFactor` and `originalLength`. Defaults: Llama 3.1's.
 * @throws {ArgumentError} If `factor` is below 1, or `highFactor` is not above `lowFactor`.
 * @see "The Llama 3 Herd of Models" (2024), arXiv:2407.21783
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { llama3Scaling, rope } from "@qkv/attention";
 *
 * const x = randn([1, 2, 3, 64], { seed: 1 }); // [B, H, T, D]
 * const { apply } = rope({ headDim: 64, base: 500000, scaling: llama3Scaling({ factor: 32 }) });
 * apply(x, { start: 100000 }).shape; // => [1, 2, 3, 64]
 * ```
 */
export function llama3Scaling(options?: Llama3ScalingOptions): RopeScaling {
  const check = checks("llama3Scaling");
  const {
    factor = 8,
    lowFactor = 1,
    highFactor = 4,
    originalLength = 8192,
  } = check.options(options, ["factor", "lowFactor", "highFactor", "originalLength"]);
  check.finite({ factor }, { min: 1, fix: fromModel });
  check.finite({ lowFactor }, { above: 0, fix: fromModel });
  const trained = "take `rope_scaling.original_max_position_embeddings`.";
  check.whole({ originalLength }, { min: 1, unit: "tokens", fix: trained });
  const isAbove = Number.isFinite(highFactor) && highFactor > lowFactor;
  const above = `a finite number above lowFactor = ${lowFactor}`;
  check.each({ highFactor }, () => isAbove, above, "leave both out for 4 and 1.");
  return {
    name: `llama3Scaling({ factor: ${factor}, lowFactor: ${lowFactor}, highFactor: ${highFactor}, originalLength: ${originalLength} })`,
    rotaryFrequencies({ base, rotaryDim }) {
      const frequencies = plainFrequencies(base, rotaryDim).map((frequency) => {
        const rotations = (originalLength * frequency) / (2 * Math.PI); // over the trained length
        const kept = Math.min(1, Math.max(0, (rotations - lowFactor) / (highFactor - lowFactor)));
        return (1 - kept) * (frequency / factor) + kept * frequency;
      });
      return { frequencies, attentionFactor: 1 };
    },
  };
}
