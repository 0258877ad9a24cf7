import { checks } from "@qkv/core";
import { fromModel, plainFrequencies, type RopeScaling } from "./rope-scaling.js";

/**
 * Dynamic NTK scaling: nothing changes up to the trained length. Beyond it, the base grows with the length, which slows
 * slow pairs and hardly affects fast ones: `base · (factor · length / originalLength − (factor − 1))^(rotaryDim /
 * (rotaryDim − 2))`.
 *
 * The length is the call's largest position plus 1, as in Hugging Face's implementation: keys that a cache holds were
 * rotated with the base of their own time.
 *
 * @param options - `factor`: 1 or more. `originalLength`: the trained length. Unit: tokens.
 * @throws {ArgumentError} If `factor` is below 1, or `originalLength` is not an integer of at least 1.
 * @see "YaRN" (2023), arXiv:2309.00071, section 3.3
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { dynamicNtk, rope } from "@qkv/attention";
 *
 * const x = randn([1, 1, 1, 8], { seed: 1 }); // [B, H, T, D]
 * const longer = rope({ headDim: 8, scaling: dynamicNtk({ factor: 2, originalLength: 2048 }) });
 * longer.apply(x, { start: 2047 }).data[1] === rope({ headDim: 8 }).apply(x, { start: 2047 }).data[1]; // => true
 * longer.apply(x, { start: 4095 }).data[1] === rope({ headDim: 8 }).apply(x, { start: 4095 }).data[1]; // => false
 * ```
 */
export function dynamicNtk(options: { factor: number; originalLength: number }): RopeScaling {
  const check = checks("dynamicNtk");
  const { factor, originalLength } = check.options(options, ["factor", "originalLength"]);
  check.finite({ factor }, { min: 1, fix: fromModel });
  const fix = "take the model's `max_position_embeddings` before scaling.";
  check.whole({ originalLength }, { min: 1, unit: "tokens", fix });
  return {
    name: `dynamicNtk({ factor: ${factor}, originalLength: ${originalLength} })`,
    rotaryFrequencies({ base, rotaryDim, length }) {
      const stretch = (factor * Math.max(length, originalLength)) / originalLength - (factor - 1);
      // A single pair rotates once per radian whatever the base is.
      const grown = rotaryDim > 2 ? base * stretch ** (rotaryDim / (rotaryDim - 2)) : base;
      return { frequencies: plainFrequencies(grown, rotaryDim), attentionFactor: 1 };
    },
  };
}
