import { refuse } from "@qkv/core";
import { tensor, type Tensor } from "@qkv/tensor";
import { checkCount } from "../masks/check-count.js";

export type SinusoidalOptions = {
  /** The slowest wave is about `2π · base` tokens long. Default 10000. */
  base?: number;
  /** Default `float32`. */
  dtype?: "float32" | "float64";
};

/**
 * The Transformer's position vectors, added to embeddings: number 2i of a position is `sin(position · f)`, number
 * 2i + 1 is `cos(position · f)`, with `f = base^(−2i / embedDim)`. The vector k places on is the same linear map of
 * this one at every position, so distances can be read off. Nothing is learned.
 *
 * @param positions - How many, from 0 on; or a list of positions.
 * @param embedDim - C, even.
 * @returns `[T, C]`
 * @throws {ArgumentError} If the number of positions is no whole number, or `embedDim` is odd.
 * @see "Attention Is All You Need" (2017), arXiv:1706.03762, section 3.5
 *
 * @example
 * ```ts
 * import { add, randn } from "@qkv/tensor";
 * import { sinusoidal } from "@qkv/attention";
 *
 * sinusoidal(1, 4).toNested(); // => [[0, 1, 0, 1]]
 * add(randn([2, 5, 8], { seed: 1 }), sinusoidal(5, 8)).shape; // => [2, 5, 8]
 * ```
 */
export function sinusoidal(
  positions: number | ArrayLike<number>,
  embedDim: number,
  { base = 10000, dtype = "float32" }: SinusoidalOptions = {},
): Tensor {
  const fix = "count the positions, or list them.";
  const places =
    typeof positions === "number"
      ? Array.from(
          { length: checkCount("sinusoidal", "positions", positions, { least: 0, unit: "tokens", fix }) },
          (_, t) => t,
        )
      : Array.from(positions);
  if (!Number.isInteger(embedDim) || embedDim < 0 || embedDim % 2 !== 0) {
    refuse(
      "sinusoidal",
      "embedDim",
      embedDim,
      "an even number, 0 or more",
      "each wave has a sine and a cosine: choose an even width.",
    );
  }
  if (!(base > 0) || base === Infinity) {
    refuse("sinusoidal", "base", base, "a finite number above 0", "leave it out for 10000.");
  }
  const numbers = places.flatMap((position) =>
    Array.from({ length: embedDim }, (_, n) => {
      const angle = position * base ** (-(n - (n % 2)) / embedDim);
      return n % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    }),
  );
  return tensor(numbers, { shape: [places.length, embedDim], dtype });
}
