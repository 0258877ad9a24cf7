import { refuseShape } from "./refuse.js";
import { sameShape, type Shape } from "./shape.js";
import type { Numbers } from "./format.js";
import { numberAt } from "./half.js";

/** Numbers nested as deep as the shape has axes. */
export type Nested = number | boolean | Nested[];

/** Numbers in row-major order, nested as their shape is; a plain number for the shape []. Bools as bools. */
export function nest({ data, shape, dtype }: Numbers): Nested {
  let at = 0;
  const along = (axis: number): Nested =>
    axis < shape.length
      ? Array.from({ length: shape[axis]! }, () => along(axis + 1))
      : dtype === "bool"
        ? data[at++] === 1
        : numberAt(data, at++, dtype);
  return along(0);
}

const ofOneNumber: Shape = [];

/** The shape of nested lists, which must be even. Their elements are appended to `flat`, in order. */
export function nestedShape(fn: string, values: unknown, flat: unknown[]): Shape {
  if (!Array.isArray(values)) {
    flat.push(values);
    return ofOneNumber;
  }
  let first: Shape | undefined;
  const { length } = values;
  // By number, since a list may have holes.
  for (let i = 0; i < length; i++) {
    const shape = nestedShape(fn, values[i], flat);
    if (first && first !== shape && !sameShape(first, shape)) {
      refuseShape(
        fn,
        "values",
        `a list of parts of the shapes [${first.join(", ")}] and [${shape.join(", ")}]`,
        "parts of one shape",
        "make all rows equally long, or pad the short ones.",
      );
    }
    first ??= shape;
  }
  return [length, ...(first ?? [])];
}
