import { eachRow, type Strided } from "./rows.js";
import { normalizeAxis, type Shape } from "./shape.js";
import { refuse } from "./refuse.js";

/** Axes that are reduced. `keepDims`: true if the result has them with length 1. */
export type Reduced = { readonly axes: readonly number[]; readonly keepDims: boolean };

/** Axes of a reduction, counted from the front. Undefined means all axes. Refuses an axis that is given twice. */
export function normalizeAxes(
  fn: string,
  axis: number | readonly number[] | undefined,
  rank: number,
): number[] {
  const given = axis === undefined ? Array.from({ length: rank }, (_, i) => i) : [axis].flat();
  const axes = given.map((axis) => normalizeAxis(fn, axis, rank));
  if (new Set(axes).size === axes.length) return axes;
  const fix = "remove the repeated axis; negative axes count from the end.";
  refuse(fn, "axis", given.join(", "), "each axis once", fix);
}

/** Output shape of a reduction. */
export function reducedShape(shape: Shape, { axes, keepDims }: Reduced): Shape {
  return keepDims
    ? shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
    : shape.filter((_, axis) => !axes.includes(axis));
}

/** The input elements of one output element: offset of the first (`at`), and shape and strides of the reduced axes. */
export type Group = { readonly at: number; readonly shape: Shape; readonly strides: Shape };

/** Calls `visit` with the input elements of each output element of a reduction, in row-major order; `o` is the output index. */
export function eachGroup(
  { shape, strides, offset }: Strided,
  axes: readonly number[],
  visit: (group: Group, o: number) => void,
): void {
  const outputAxes = shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const select = (from: Shape, which: readonly number[]) => which.map((axis) => from[axis]!);
  const inner = { shape: select(shape, axes), strides: select(strides, axes) };
  let o = 0;
  eachRow(select(shape, outputAxes), [select(strides, outputAxes)], [offset], ([i], [di], length) => {
    for (let k = 0; k < length; k++) visit({ at: i! + k * di!, ...inner }, o++);
  });
}
