import { refuseShape } from "./refuse.js";
import { sameShape, type Shape } from "./shape.js";
import type { Numbers } from "./format.js";
import { numberAt } from "./half.js";

/** Nested arrays of numbers or bools, one level per axis. */
export type Nested = number | boolean | Nested[];

/** Converts elements in row-major order to nested arrays, one level per axis; to a single number or bool for the shape []. */
export function nest({ data, shape, dtype }: Numbers): Nested {
  let index = 0;
  const nestFrom = (axis: number): Nested => {
    if (axis < shape.length) return Array.from({ length: shape[axis]! }, () => nestFrom(axis + 1));
    const i = index++;
    return dtype === "bool" ? data[i] === 1 : numberAt(data, i, dtype);
  };
  return nestFrom(0);
}

const scalarShape: Shape = [];

/** The shape of nested arrays. Appends their elements to `flat`, in row-major order. Refuses arrays of different lengths. */
export function nestedShape(fn: string, values: unknown, flat: unknown[]): Shape {
  if (!Array.isArray(values)) {
    flat.push(values);
    return scalarShape;
  }
  let first: Shape | undefined;
  const { length } = values;
  // An index loop, since iteration methods skip the holes of sparse arrays.
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
