import { ArgumentError, ShapeError } from "@qkv/core";
import { checkTensor, tensor, type Tensor } from "@qkv/tensor";
import { rotate, type RotaryLayout } from "./rotate.js";

/** Where the tokens of x stand: from `start` on, or one by one, `[T]` or `[B, T]` row-major. */
export type Positions = { readonly start: number } | Int32Array;

/** A rotary embedding: turns queries and keys by an angle that grows with their position. */
export type Rope = {
  readonly name: string;
  /** `[B, H, T, D]` with each token at its position. */
  apply(x: Tensor, positions: Positions): Tensor;
};

export type RopeOptions = {
  /** D, the size of one head. */
  headDim: number;
  /** Pair i turns by `position · base^(-2i / rotaryDim)`. Default 10000. */
  base?: number;
  /** Which numbers make a pair. Default `half`. */
  layout?: RotaryLayout;
  /** How many numbers of a head turn, an even number of at most headDim. Default: all. */
  rotaryDim?: number;
};

/**
 * Rotary position embedding: a query and a key turned by their positions have a dot product that depends only on
 * how far apart they stand. Keys are cached after the turn.
 *
 * @param options - `headDim` is needed; the rest has defaults.
 * @throws {ArgumentError} If `rotaryDim` is odd or larger than `headDim`, or `base` is not above 0.
 * @see "RoFormer" (2021), arXiv:2104.09864
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { rope } from "@qkv/attention";
 *
 * const x = randn([1, 2, 3, 8], { seed: 1 }); // [B, H, T, D]
 * const turned = rope({ headDim: 8 }).apply(x, { start: 0 });
 * turned.data[0] === x.data[0]; // => true
 * ```
 */
export function rope({ headDim, base = 10000, layout = "half", rotaryDim = headDim }: RopeOptions): Rope {
  if (!Number.isInteger(rotaryDim) || rotaryDim % 2 !== 0 || rotaryDim < 0 || rotaryDim > headDim) {
    throw new ArgumentError({
      fn: "rope",
      argument: rotaryDim === headDim ? "headDim" : "rotaryDim",
      received: rotaryDim,
      expected: `an even number from 0 to headDim = ${headDim}`,
      fix: "pairs of numbers turn together: choose an even size, or turn only an even part with `rotaryDim`.",
    });
  }
  if (!(base > 0) || base === Infinity) {
    throw new ArgumentError({
      fn: "rope",
      argument: "base",
      received: base,
      expected: "a finite number above 0",
      fix: "leave it out for 10000, or take the model's `rope_theta`.",
    });
  }
  const half = rotaryDim / 2;
  const frequencies = Float64Array.from({ length: half }, (_, i) => base ** ((-2 * i) / rotaryDim));
  const part = rotaryDim === headDim ? "" : `, rotaryDim: ${rotaryDim}`;
  return {
    name: `rope({ headDim: ${headDim}, base: ${base}, layout: "${layout}"${part} })`,
    apply(x, positions) {
      if (checkTensor("rope", "x", x).shape.length !== 4 || x.shape[3] !== headDim) {
        throw new ShapeError({
          fn: "rope",
          argument: "x",
          received: x.shape,
          expected: `[B, H, T, ${headDim}], as headDim is ${headDim}`,
          fix: "make the rope for heads of the size that it turns.",
        });
      }
      const [B, , T] = x.shape as [number, number, number, number];
      const given =
        "start" in positions ? Array.from({ length: T }, (_, t) => positions.start + t) : positions;
      const perBatch = given.length !== T;
      if (given.length !== T && given.length !== B * T) {
        throw new ArgumentError({
          fn: "rope",
          argument: "positions",
          received: `${given.length} positions`,
          expected: `T = ${T} of them, or B · T = ${B * T}`,
          fix: "give each token its place in the sequence.",
        });
      }
      // Angles in float64, rounded once: in float32 the angle itself is wrong by 1e-3 at position 16384.
      const cos = new Float64Array(given.length * half);
      const sin = new Float64Array(given.length * half);
      for (let t = 0, at = 0; t < given.length; t++) {
        for (let i = 0; i < half; i++, at++) {
          cos[at] = Math.cos(given[t]! * frequencies[i]!);
          sin[at] = Math.sin(given[t]! * frequencies[i]!);
        }
      }
      const options = { shape: perBatch ? [B, T, half] : [T, half], dtype: x.dtype, device: x.device };
      return rotate(x, tensor(cos, options), tensor(sin, options), { layout });
    },
  };
}
