import { checks } from "@qkv/core";
import { fromModel, plainFrequencies, type RopeScaling } from "./rope-scaling.js";

export type YarnOptions = {
  /** Longest text in multiples of `originalLength`. 1 or more. */
  factor: number;
  /** The trained length. Unit: tokens. */
  originalLength: number;
  /** Pairs that rotate more often than this over the trained length stay as they are. Default 32. */
  betaFast?: number;
  /** Pairs that rotate less often than this are slowed by the whole factor. Default 1. */
  betaSlow?: number;
  /** Factor of queries and keys. Default: `0.1 · ln factor + 1`, or as the two below say. */
  attentionFactor?: number;
  /** DeepSeek's `mscale` and `mscale_all_dim`: the default is then the quotient of `0.1 · m · ln factor + 1` of both. */
  mscale?: number;
  mscaleAllDim?: number;
  /** True: the ends of the ramp are rounded outwards to whole pairs. Default true; GPT-OSS has false. */
  truncate?: boolean;
};

/**
 * YaRN: pairs that rotate often over the trained length stay, pairs that do not finish a rotation are slowed by `factor`, a
 * ramp lies between, and queries and keys grow a little, because attention over more keys is flatter.
 *
 * @throws {ArgumentError} If `factor` is below 1, a length is no count, or `betaFast` is not above `betaSlow`.
 * @see "YaRN: Efficient Context Window Extension of Large Language Models" (2023), arXiv:2309.00071
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { rope, yarn } from "@qkv/attention";
 *
 * const x = randn([1, 2, 3, 64], { seed: 1 }); // [B, H, T, D]
 * const { apply } = rope({ headDim: 64, scaling: yarn({ factor: 4, originalLength: 4096 }) });
 * apply(x, { start: 16000 }).shape; // => [1, 2, 3, 64]
 * ```
 */
export function yarn(options: YarnOptions): RopeScaling {
  const check = checks("yarn");
  const {
    factor,
    originalLength,
    betaFast = 32,
    betaSlow = 1,
    truncate = true,
    mscale,
    mscaleAllDim,
    ...rest
  } = check.options(options, [
    "factor",
    "originalLength",
    "betaFast",
    "betaSlow",
    "attentionFactor",
    "mscale",
    "mscaleAllDim",
    "truncate",
  ]);
  check.finite({ factor }, { min: 1, fix: fromModel });
  const trained = "take `rope_scaling.original_max_position_embeddings`.";
  check.whole({ originalLength }, { min: 1, unit: "tokens", fix: trained });
  check.finite({ betaSlow }, { above: 0, fix: fromModel });
  const isAbove = Number.isFinite(betaFast) && betaFast > betaSlow;
  const above = `a finite number above betaSlow = ${betaSlow}`;
  check.each({ betaFast }, () => isAbove, above, "leave both out for 32 and 1.");
  check.finite(
    { ...(mscale !== undefined && { mscale }), ...(mscaleAllDim !== undefined && { mscaleAllDim }) },
    { min: 0, fix: fromModel },
  );
  check.type({ truncate }, "boolean");
  const sharper = (m: number) => 0.1 * m * Math.log(factor) + 1;
  const sharpened = mscale && mscaleAllDim ? sharper(mscale) / sharper(mscaleAllDim) : sharper(1);
  const { attentionFactor = sharpened } = rest;
  check.finite({ attentionFactor }, { min: 0, fix: fromModel });
  return {
    name: `yarn({ ${Object.entries(options)
      .map(([option, value]) => `${option}: ${value}`)
      .join(", ")} })`,
    rotaryFrequencies({ base, rotaryDim }) {
      // The pair, as a real number, that rotates so many times over the trained length.
      const pairOf = (rotations: number) =>
        (rotaryDim * Math.log(originalLength / (rotations * 2 * Math.PI))) / (2 * Math.log(base));
      const [fast, slow] = [pairOf(betaFast), pairOf(betaSlow)];
      const first = Math.max(truncate ? Math.floor(fast) : fast, 0);
      const end = Math.min(truncate ? Math.ceil(slow) : slow, rotaryDim - 1);
      const last = Math.max(end, first + 0.001); // a step where there is no room for a ramp
      const frequencies = plainFrequencies(base, rotaryDim).map((frequency, pair) => {
        const slowed = Math.min(1, Math.max(0, (pair - first) / (last - first)));
        return (frequency / factor) * slowed + frequency * (1 - slowed);
      });
      return { frequencies, attentionFactor };
    },
  };
}
