import { broadcastStrides, type Shape } from "./shape.js";

/** Layout of a tensor in an array: element `(i, j, …)` is at `offset + i * strides[0] + j * strides[1] + …`. */
export type Strided = { readonly shape: Shape; readonly strides: Shape; readonly offset: number };

/**
 * Iterates over several operands of one shape, a row at a time. Adjacent axes that are contiguous in every operand are
 * merged first, so that contiguous operands of any rank are a single row.
 *
 * @param strides - For each operand, one stride per axis of `shape`; 0 broadcasts.
 * @param offsets - For each operand, the offset of its first element.
 * @param row - Called for each row with the offset (`at`) and the stride (`step`) of each operand, and the number of elements.
 *   The array `at` is reused between calls.
 */
export function eachRow(
  shape: Shape,
  strides: readonly Shape[],
  offsets: readonly number[],
  row: (at: readonly number[], step: readonly number[], length: number) => void,
): void {
  const lengths: number[] = [];
  const steps: number[][] = strides.map(() => []);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis]!;
    if (length === 0) return;
    if (length === 1) continue;
    const outer = lengths.length - 1;
    const merges =
      outer >= 0 && strides.every((operand, k) => operand[axis] === steps[k]![outer]! * lengths[outer]!);
    if (merges) {
      lengths[outer]! *= length;
    } else {
      lengths.push(length);
      strides.forEach((operand, k) => steps[k]!.push(operand[axis]!));
    }
  }
  // `lengths` and `steps` now have the innermost axis first.
  const at = [...offsets];
  const step = steps.map((operand) => operand[0] ?? 0);
  const length = lengths[0] ?? 1;
  const visitAxis = (axis: number): void => {
    if (axis === 0) return row(at, step, length);
    for (let i = 0; i < lengths[axis]!; i++) {
      visitAxis(axis - 1);
      for (let k = 0; k < at.length; k++) at[k]! += steps[k]![axis]!;
    }
    for (let k = 0; k < at.length; k++) at[k]! -= steps[k]![axis]! * lengths[axis]!;
  };
  visitAxis(Math.max(0, lengths.length - 1));
}

/** {@link eachRow} for operands that are broadcast to `shape`. */
export function eachBroadcastRow(
  shape: Shape,
  operands: readonly Strided[],
  row: (at: readonly number[], step: readonly number[], length: number) => void,
): void {
  eachRow(
    shape,
    operands.map((operand) => broadcastStrides(shape, operand.shape, operand.strides)),
    operands.map(({ offset }) => offset),
    row,
  );
}

/**
 * Calls `visit` for each line along an axis, with the offsets of its first element in two operands whose shapes differ at most
 * in that axis.
 */
export function eachLine(axis: number, a: Strided, b: Strided, visit: (a: number, b: number) => void): void {
  const otherAxes = (list: Shape) => list.filter((_, other) => other !== axis);
  const strides = [otherAxes(a.strides), otherAxes(b.strides)];
  eachRow(otherAxes(b.shape), strides, [a.offset, b.offset], ([i, j], [di, dj], length) => {
    for (let k = 0; k < length; k++) visit(i! + k * di!, j! + k * dj!);
  });
}
