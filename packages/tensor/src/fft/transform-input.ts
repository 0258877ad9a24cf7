import { checkFits, checkOneOf, checkOptions, checks, normalizeAxis, refuseShape } from "@qkv/core";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import { moveAxis } from "../ops/move-axis.js";
import { mul } from "../ops/mul.js";
import { padOp, sliceOp } from "../ops/slice-and-pad.js";
import type { Tensor } from "../tensor.js";
import type { Complex } from "./dft.js";

/** Options of a transform. */
export type FftOptions = {
  /** Length of the transform: a longer axis is truncated, a shorter one padded with zeros. Default: the length of the axis. */
  n?: number;
  /** Default: the last. */
  axis?: number;
  /**
   * Normalization, as in numpy: the inverse transform divides by n (`"backward"`, default), both divide by √n (`"ortho"`), or the
   * forward transform divides by n (`"forward"`).
   */
  norm?: "backward" | "ortho" | "forward";
};

/** Checked options with their defaults, and the tensors with the transformed axis last. */
export type TransformInput = {
  readonly n: number;
  readonly axis: number;
  readonly scale: number;
  readonly parts: readonly Tensor[];
};

/**
 * Checks the arguments of a transform, moves its axis to the end, and truncates or pads it.
 *
 * @param inputs - Real numbers, or the real and the imaginary parts of complex ones, by the name of the argument.
 * @param inverse - True for the inverse transform, which divides by n by default.
 * @param defaultLength - Default of n, by the length of the axis.
 * @param inputLength - Length of the axis that a transform of length n reads.
 */
export function transformInput(
  fn: string,
  inputs: Readonly<Record<string, Tensor>>,
  options: FftOptions | undefined,
  inverse: boolean,
  defaultLength: (length: number) => number = (length) => length,
  inputLength: (n: number) => number = (n) => n,
): TransformInput {
  const { n: requested, axis = -1, norm = "backward" } = checkOptions(fn, options, ["n", "axis", "norm"]);
  checkOneOf(fn, "norm", norm, ["backward", "ortho", "forward"], "leave it out: the inverse divides by n.");
  const [[name, first] = ["x", undefined], ...others] = Object.entries(inputs);
  const { shape, dtype } = floatTensor(fn, name, first);
  for (const [argument, other] of others)
    checkFits(
      fn,
      argument,
      floatTensor(fn, argument, other),
      { dtype, shape },
      `as ${name} is`,
      "give both parts of all numbers.",
    );
  const at = normalizeAxis(fn, axis, shape.length);
  const length = shape[at]!;
  if (length === 0)
    refuseShape(fn, name, shape, `a number or more on axis ${at}`, "there is nothing to transform.");
  const n = requested ?? defaultLength(length);
  checks(fn).whole({ n }, { min: 1 });
  const readLength = inputLength(n);
  const parts = Object.values(inputs).map((x) => {
    const last = shape.length - 1;
    const moved = moveAxis(x, at, -1);
    if (length === readLength) return moved;
    return length > readLength
      ? run(sliceOp, [moved], { axis: last, start: 0, end: readLength })
      : run(padOp, [moved], { axis: last, before: 0, after: readLength - length, value: 0 });
  });
  const scale = norm === "ortho" ? 1 / Math.sqrt(n) : (norm === "backward") === inverse ? 1 / n : 1;
  return { n, axis: at, scale, parts };
}

/** The real and imaginary parts of complex numbers. Refuses other values. */
export function complexParts(fn: string, x: Complex): Complex {
  const { real, imag } = (x as Partial<Complex> | null | undefined) ?? {};
  if (real !== undefined && imag !== undefined) return { real, imag };
  const fix = "of real numbers take `rfft`, or give zeros as `imag`.";
  return checks(fn).refuse({
    argument: "x",
    received: x,
    expected: "complex numbers: `{ real, imag }`",
    fix,
  });
}

/** Scales a part of a result, and moves its axis back. */
export function transformOutput(x: Tensor, { axis, scale }: TransformInput): Tensor {
  return moveAxis(scale === 1 ? x : mul(x, scale), -1, axis);
}

/** Scales both parts of a result, and moves their axis back. */
export function complexOutput({ real, imag }: Complex, input: TransformInput): Complex {
  return { real: transformOutput(real, input), imag: transformOutput(imag, input) };
}
