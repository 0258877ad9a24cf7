import { checks, isList } from "@qkv/core";
import { tensor, type Tensor } from "@qkv/tensor";

export type SinusoidalOptions = {
  /** The slowest wave is about `2π · base` tokens long. Default 10000. */
  base?: number;
  /** Default `float32`. */
  dtype?: "float32" | "float64";
};

/**
 * The position vectors of the original Transformer, which are added to embeddings: number 2i of a position is
 * `sin(position · f)` and number 2i + 1 is `cos(position · f)`, with `f = base^(−2i / embedDim)`. The vector k
 * positions later is the same linear map of this one at every position, so distances can be read off. Nothing is
 * learned.
 *
 * @param positions - Number of positions, from 0 on; or a list of positions.
 * @param embedDim - C, even.
 * @returns `[T, C]`
 * @throws {ArgumentError} If the number of positions is not an integer, or `embedDim` is odd.
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
  options?: SinusoidalOptions,
): Tensor {
  const check = checks("sinusoidal");
  const { base = 10000, dtype = "float32" } = check.options(options, ["base", "dtype"]);
  check.oneOf({ dtype }, ["float32", "float64"]);
  check.whole({ embedDim }, { min: 0, max: 2 ** 20, unit: "elements", fix: "take the width of the model." });
  const even = "each wave has a sine and a cosine: choose an even width.";
  check.each({ embedDim }, () => embedDim % 2 === 0, "an even number, 0 or more", even);
  check.finite({ base }, { above: 0, fix: "leave it out for 10000." });
  const fix = "count the positions, or list them.";
  if (!isList(positions)) check.whole({ positions }, { min: 0, max: 2 ** 24, unit: "tokens", fix });
  else check.list({ positions }, "finite numbers", Number.isFinite, fix);
  const places = isList(positions) ? Array.from(positions) : Array.from({ length: positions }, (_, t) => t);
  const numbers = places.flatMap((position) =>
    Array.from({ length: embedDim }, (_, n) => {
      const angle = position * base ** (-(n - (n % 2)) / embedDim);
      return n % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    }),
  );
  return tensor(numbers, { shape: [places.length, embedDim], dtype });
}
