import { ArgumentError, ShapeError } from "./errors.js";

export type Shape = readonly number[];

/** Number of elements of a shape. The shape [] has one element. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let axis = 0; axis < shape.length; axis++) size *= shape[axis]!;
  return size;
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** A copy of a shape with another length of one axis. */
export function withLength(shape: Shape, axis: number, length: number): Shape {
  const changed = shape.slice();
  changed[axis] = length;
  return changed;
}

/** True for the strides of a contiguous row-major array. Strides of axes of length 1 do not matter. */
export function isContiguous(shape: Shape, strides: Shape): boolean {
  let packed = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== packed) return false;
    packed *= shape[axis]!;
  }
  return true;
}

/** Returns a shape. Refuses values that are not lists of integers of 0 or more. */
export function checkShape(fn: string, shape: unknown): Shape {
  if (!Array.isArray(shape) || !shape.every((length) => Number.isSafeInteger(length) && length >= 0)) {
    throw new ArgumentError({
      fn,
      argument: "shape",
      received: Array.isArray(shape) ? shape.map(String) : shape,
      expected: "a list of whole lengths, each 0 or more",
      fix: "write the length of each axis, leftmost first, such as [2, 3].",
    });
  }
  return shape as Shape;
}

/** The index of an axis from the front. Negative axes count from the end. */
export function normalizeAxis(fn: string, axis: number, rank: number, argument = "axis"): number {
  const index = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(index) || index < 0 || index >= rank) {
    throw new ArgumentError({
      fn,
      argument,
      received: axis,
      expected: `an axis of a tensor of rank ${rank}: an integer from ${-rank} to ${rank - 1}`,
      fix: "count axes from 0 at the left, or from -1 at the right.",
    });
  }
  return index;
}

/**
 * The shape of two operands after broadcasting, by NumPy's rule: axes are matched from the right, and an axis that is missing or
 * has length 1 is repeated.
 */
export function broadcastShapes(fn: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      throw new ShapeError({
        fn,
        argument: "b",
        received: b,
        expected: `one that broadcasts with [${a.join(", ")}]`,
        fix: "each pair of lengths, from the right, must be equal or hold a 1.",
      });
    }
    return left === 1 ? right : left;
  });
}

/** Strides that broadcast a tensor of shape `from` to `shape`: 0 for repeated axes. */
export function broadcastStrides(shape: Shape, from: Shape, strides: Shape): number[] {
  const missing = shape.length - from.length;
  return shape.map((_, axis) =>
    axis < missing || from[axis - missing] === 1 ? 0 : strides[axis - missing]!,
  );
}
