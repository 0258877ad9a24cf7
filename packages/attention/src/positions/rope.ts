import { checks } from "@qkv/core";
import type { Tensor } from "@qkv/tensor";
import type { Positions } from "./places-of.js";
import { plainFrequencies, type RopeScaling } from "./rope-scaling.js";
import { checkLayout, type RotaryLayout } from "./check-layout.js";
import { checkRotary, rotateByPosition, type Tables } from "./rotate-by-position.js";

/** A rotary embedding: rotates queries and keys by an angle that grows with their position. */
export type Rope = {
  readonly name: string;
  /** `[B, H, T, D]` with each token at its position. */
  apply(x: Tensor, positions: Positions): Tensor;
};

export type RopeOptions = {
  /** D, the size of one head. */
  headDim: number;
  /** Pair i rotates by `position · base^(-2i / rotaryDim)`. Default 10000. */
  base?: number;
  /** Numbers that make a pair. Default `half`. */
  layout?: RotaryLayout;
  /** Number of rotated numbers of a head, an even number of at most headDim. Default: all. */
  rotaryDim?: number;
  /** Stretches the embedding over longer texts: `yarn({ … })`, `llama3Scaling()`, …. Default: not. */
  scaling?: RopeScaling;
};

/**
 * Rotary position embedding (RoPE): rotates queries and keys by their positions, so their dot product depends only on
 * the distance between them. Keys are cached after the rotation.
 *
 * @param options - `headDim` is needed; the rest has defaults.
 * @throws {ArgumentError} If `rotaryDim` is odd or larger than `headDim`, `base` is not above 0, or there is no
 *   such `layout`: "half" is NeoX style, "interleaved" GPT-J style.
 * @see "RoFormer" (2021), arXiv:2104.09864
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { rope } from "@qkv/attention";
 *
 * const x = randn([1, 2, 3, 8], { seed: 1 }); // [B, H, T, D]
 * const rotated = rope({ headDim: 8 }).apply(x, { start: 0 });
 * rotated.data[0] === x.data[0]; // => true
 * ```
 */
export function rope(options: RopeOptions): Rope {
  const check = checks("rope");
  const {
    headDim,
    base = 10000,
    layout = "half",
    rotaryDim = headDim,
    scaling,
  } = check.options(options, ["headDim", "base", "layout", "rotaryDim", "scaling"]);
  checkRotary("rope", headDim, rotaryDim, base);
  checkLayout("rope", layout);
  check.each(
    { scaling },
    () => scaling === undefined || typeof scaling?.rotaryFrequencies === "function",
    "a scaling such as `yarn({ factor: 4, originalLength: 4096 })`",
    "call linearScaling, dynamicNtk, yarn, llama3Scaling or longRope with the numbers of `rope_scaling`.",
  );
  const plain = { frequencies: plainFrequencies(base, rotaryDim), attentionFactor: 1 };
  const part = rotaryDim === headDim ? "" : `, rotaryDim: ${rotaryDim}`;
  const tables: Tables = {};
  const scaled = scaling ? `, scaling: ${scaling.name}` : "";
  return {
    name: `rope({ headDim: ${headDim}, base: ${base}, layout: "${layout}"${part}${scaled} })`,
    apply: (x, positions) =>
      rotateByPosition("rope", x, positions, { headDim, layout, tables }, (length) => {
        const { frequencies, attentionFactor } =
          scaling?.rotaryFrequencies({ base, rotaryDim, length }) ?? plain;
        return { frequencies, scale: () => attentionFactor };
      }),
  };
}
