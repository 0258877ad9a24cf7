import { checks } from "@qkv/core";
import { fromModel, plainFrequencies, type RopeScaling } from "./rope-scaling.js";

export type LongRopeOptions = {
  /** For texts up to the trained length: by how much each pair is slowed. One for each pair. */
  shortFactors: ArrayLike<number>;
  /** For longer texts. One for each pair. */
  longFactors: ArrayLike<number>;
  /** Longest text in multiples of `originalLength`. 1 or more. */
  factor: number;
  /** The trained length. Unit: tokens. */
  originalLength: number;
  /** Factor of queries and keys. Default: `√(1 + ln factor / ln originalLength)`. */
  attentionFactor?: number;
};

/**
 * LongRoPE: each pair has its own factor, found by search. There is one set of factors for texts up to the trained
 * length and one for longer texts (Phi-3).
 *
 * The largest position of a call chooses the set: a text that grows beyond the trained length is rotated
 * anew, so keys that a cache holds must be computed again then.
 *
 * @throws {ArgumentError} If there are not as many factors as pairs, or a number is out of range.
 * @see "LongRoPE: Extending LLM Context Window Beyond 2 Million Tokens" (2024), arXiv:2402.13753
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { longRope, rope } from "@qkv/attention";
 *
 * const x = randn([1, 2, 3, 4], { seed: 1 }); // [B, H, T, D]: two pairs
 * const scaling = longRope({ shortFactors: [1, 1], longFactors: [1, 8], factor: 8, originalLength: 4096 });
 * rope({ headDim: 4, scaling }).apply(x, { start: 5000 }).shape; // => [1, 2, 3, 4]
 * ```
 */
export function longRope(options: LongRopeOptions): RopeScaling {
  const check = checks("longRope");
  const names = ["shortFactors", "longFactors", "factor", "originalLength", "attentionFactor"] as const;
  const { shortFactors, longFactors, factor, originalLength, ...rest } = check.options(options, names);
  check.finite({ factor }, { min: 1, fix: fromModel });
  const trained = "take the model's `original_max_position_embeddings`.";
  check.whole({ originalLength }, { min: 2, unit: "tokens", fix: trained });
  const isFactor = (value: unknown) => Number.isFinite(value) && (value as number) > 0;
  const expected = "finite numbers above 0, one for each pair";
  check.list({ shortFactors, longFactors }, expected, isFactor, fromModel);
  const [short, long] = [Array.from(shortFactors), Array.from(longFactors)];
  const { attentionFactor = Math.sqrt(1 + Math.log(factor) / Math.log(originalLength)) } = rest;
  check.finite({ attentionFactor }, { min: 0, fix: fromModel });
  return {
    name: `longRope({ factor: ${factor}, originalLength: ${originalLength}, … })`,
    rotaryFrequencies({ base, rotaryDim, length }) {
      const [argument, factors] =
        length > originalLength ? (["longFactors", long] as const) : (["shortFactors", short] as const);
      if (factors.length !== rotaryDim / 2) {
        check.refuse({
          argument,
          received: `${factors.length} factors`,
          expected: `${rotaryDim / 2} of them, one for each pair of the ${rotaryDim} numbers that turn`,
          fix: "take `short_factor` and `long_factor` from the model's `rope_scaling`.",
        });
      }
      const frequencies = plainFrequencies(base, rotaryDim).map((frequency, i) => frequency / factors[i]!);
      return { frequencies, attentionFactor };
    },
  };
}
