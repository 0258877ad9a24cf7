import { eachRow, type Strided } from "./rows.js";
import { normalizeAxis, type Shape } from "./shape.js";
import { refuse } from "./refuse.js";

/** The axes that a reduction takes together; they may remain with length 1. */
export type Reduced = { readonly axes: readonly number[]; readonly keepDims: boolean };

/** Axes counted from the front, each once. Default: all of them. */
export function normalizeAxes(
  fn: string,
  axis: number | readonly number[] | undefined,
  rank: number,
): number[] {
  const given = axis === undefined ? Array.from({ length: rank }, (_, i) => i) : [axis].flat();
  const axes = given.map((one) => normalizeAxis(fn, one, rank));
  if (new Set(axes).size === axes.length) return axes;
  const fix = "leave out the second mention; negative axes count from the end.";
  refuse(fn, "axis", given.join(", "), "each axis once", fix);
}

/** The shape rule of a reduction. */
export function reducedShape(shape: Shape, { axes, keepDims }: Reduced): Shape {
  return keepDims
    ? shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
    : shape.filter((_, axis) => !axes.includes(axis));
}

/** The numbers that one result of a reduction is made of: where they begin, and their axes. */
export type Group = { readonly at: number; readonly shape: Shape; readonly strides: Shape };

/** Calls `visit` for each result of a reduction, in order; `o` counts them. */
export function eachGroup(
  { shape, strides, offset }: Strided,
  axes: readonly number[],
  visit: (group: Group, o: number) => void,
): void {
  const kept = shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const pick = (from: Shape, which: readonly number[]) => which.map((axis) => from[axis]!);
  const inner = { shape: pick(shape, axes), strides: pick(strides, axes) };
  let o = 0;
  eachRow(pick(shape, kept), [pick(strides, kept)], [offset], ([i], [di], length) => {
    for (let k = 0; k < length; k++) visit({ at: i! + k * di!, ...inner }, o++);
  });
}
