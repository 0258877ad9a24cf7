import { checks } from "@qkv/core";
import { fromModel, plainFrequencies, type RopeScaling } from "./rope-scaling.js";

export type YarnOptions = {
  /** Context extension: the longest text in multiples of `originalLength`. 1 or more. */
  factor: number;
  /** Context length of pretraining. Unit: tokens. */
  originalLength: number;
  /** Pairs with more rotations than this over the original length keep their frequency. Default 32. */
  betaFast?: number;
  /** Pairs with fewer rotations than this have their frequency divided by `factor`. Default 1. */
  betaSlow?: number;
  /** Scale of queries and keys. Default: `0.1 · ln factor + 1`, unless `mscale` and `mscaleAllDim` are given. */
  attentionFactor?: number;
  /** DeepSeek's `mscale` and `mscale_all_dim`: the default is then the quotient of `0.1 · m · ln factor + 1` of both. */
  mscale?: number;
  mscaleAllDim?: number;
  /** True: both ends of the ramp are rounded outwards to whole pairs. Default true; GPT-OSS uses false. */
  truncate?: boolean;
};

/**
 * YaRN: pairs that rotate many times within the original length keep their frequency, pairs that rotate less than once
 * are interpolated (divided by `factor`), with a linear ramp in between. Queries and keys are scaled up slightly,
 * because attention over more keys is flatter.
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
  const fixLength = "take `rope_scaling.original_max_position_embeddings`.";
  check.whole({ originalLength }, { min: 1, unit: "tokens", fix: fixLength });
  check.finite({ betaSlow }, { above: 0, fix: fromModel });
  const isAbove = Number.isFinite(betaFast) && betaFast > betaSlow;
  const above = `a finite number above betaSlow = ${betaSlow}`;
  check.each({ betaFast }, () => isAbove, above, "leave both out for 32 and 1.");
  check.finite(
    { ...(mscale !== undefined && { mscale }), ...(mscaleAllDim !== undefined && { mscaleAllDim }) },
    { min: 0, fix: fromModel },
  );
  check.type({ truncate }, "boolean");
  const mscaleFor = (m: number) => 0.1 * m * Math.log(factor) + 1;
  const defaultFactor = mscale && mscaleAllDim ? mscaleFor(mscale) / mscaleFor(mscaleAllDim) : mscaleFor(1);
  const { attentionFactor = defaultFactor } = rest;
  check.finite({ attentionFactor }, { min: 0, fix: fromModel });
  return {
    name: `yarn({ ${Object.entries(options)
      .map(([option, value]) => `${option}: ${value}`)
      .join(", ")} })`,
    rotaryFrequencies({ base, rotaryDim }) {
      // Index of the pair, as a real number, with this many rotations over the original length.
      const pairWith = (rotations: number) =>
        (rotaryDim * Math.log(originalLength / (rotations * 2 * Math.PI))) / (2 * Math.log(base));
      const [fast, slow] = [pairWith(betaFast), pairWith(betaSlow)];
      const first = Math.max(truncate ? Math.floor(fast) : fast, 0);
      const end = Math.min(truncate ? Math.ceil(slow) : slow, rotaryDim - 1);
      const last = Math.max(end, first + 0.001); // a step where the ramp would have no width
      const frequencies = plainFrequencies(base, rotaryDim).map((frequency, pair) => {
        const interpolated = Math.min(1, Math.max(0, (pair - first) / (last - first)));
        return (frequency / factor) * interpolated + frequency * (1 - interpolated);
      });
      return { frequencies, attentionFactor };
    },
  };
}
