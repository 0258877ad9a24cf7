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
