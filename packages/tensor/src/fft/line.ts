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
  /** The length that is transformed: what is longer is cut, what is shorter gets zeros. Default: that of the axis. */
  n?: number;
  /** Default: the last. */
  axis?: number;
  /**
   * The way that divides: the inverse by n (`"backward"`, default), both by √n (`"ortho"`), or the transform itself by n
   * (`"forward"`).
   */
  norm?: "backward" | "ortho" | "forward";
};

/** Options, checked and complete, and the tensors with their axis last. */
export type Line = {
  readonly n: number;
  readonly axis: number;
  readonly scale: number;
  readonly parts: readonly Tensor[];
};

/**
 * Makes the lines of a transform ready.
 *
 * @param inverse - True if this way divides by n.
 * @param lengthOf - The default of n, from the length of the axis.
 * @param kept - The length of each line that a transform of the length n reads.
 */
export function lineOf(
  fn: string,
  given: Readonly<Record<string, Tensor>>,
  options: FftOptions | undefined,
  inverse: boolean,
  lengthOf: (length: number) => number = (length) => length,
  kept: (n: number) => number = (n) => n,
): Line {
  const { n: asked, axis = -1, norm = "backward" } = checkOptions(fn, options, ["n", "axis", "norm"]);
  checkOneOf(fn, "norm", norm, ["backward", "ortho", "forward"], "leave it out: the inverse divides by n.");
  const [[name, first] = ["x", undefined], ...others] = Object.entries(given);
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
  const n = asked ?? lengthOf(length);
  checks(fn).whole({ n }, { min: 1 });
  const wanted = kept(n);
  const parts = Object.values(given).map((x) => {
    const last = shape.length - 1;
    const line = moveAxis(x, at, -1);
    if (length === wanted) return line;
    return length > wanted
      ? run(sliceOp, [line], { axis: last, start: 0, end: wanted })
      : run(padOp, [line], { axis: last, before: 0, after: wanted - length, value: 0 });
  });
  const scale = norm === "ortho" ? 1 / Math.sqrt(n) : (norm === "backward") === inverse ? 1 / n : 1;
  return { n, axis: at, scale, parts };
}

/** Both parts of complex numbers. Refuses what has none. */
export function partsOf(fn: string, x: Complex): Complex {
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

/** A part of a result, scaled, with its axis where it was. */
export function settled(x: Tensor, { axis, scale }: Line): Tensor {
  return moveAxis(scale === 1 ? x : mul(x, scale), -1, axis);
}

/** Both parts of a result. */
export function settledBoth({ real, imag }: Complex, line: Line): Complex {
  return { real: settled(real, line), imag: settled(imag, line) };
}
