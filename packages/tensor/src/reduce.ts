import type { TypedArray } from "./dtype.js";
import type { Backward, Op } from "./op.js";
import { eachRow } from "./rows.js";
import { normalizeAxis } from "./shape.js";
import type { Tensor } from "./tensor.js";

/** Which axes are taken together. */
export type ReduceOptions = {
  /** One axis or several. Default: all. */
  axis?: number | readonly number[];
  /** Keeps the axes with length 1. Default: they are dropped. */
  keepDims?: boolean;
};

export type Reduced = { axes: readonly number[]; keepDims: boolean };

/** The options of a reduction, checked and complete. */
export function reducedAxes(fn: string, x: Tensor, { axis, keepDims = false }: ReduceOptions): Reduced {
  const rank = x.shape.length;
  const given = axis === undefined ? x.shape.map((_, i) => i) : typeof axis === "number" ? [axis] : axis;
  return { axes: given.map((one) => normalizeAxis(fn, one, rank)), keepDims };
}

/**
 * An op that takes whole axes together. `row` folds a row into the total so far, in order; `finish` turns the
 * total of `count` elements into the result.
 */
// @__NO_SIDE_EFFECTS__
export function reduceOp(
  name: string,
  parts: {
    start: number;
    row(x: TypedArray, i: number, di: number, n: number, total: number): number;
    finish?(total: number, count: number): number;
    backward?(call: Backward<Reduced>): Tensor | undefined;
  },
): Op<Reduced> {
  const { start, row, finish, backward } = parts;
  return {
    name,
    infer: ([x], { axes, keepDims }) => [
      {
        shape: keepDims
          ? x!.shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
          : x!.shape.filter((_, axis) => !axes.includes(axis)),
        dtype: x!.dtype,
      },
    ],
    kernel([x], [out], { axes }) {
      const kept = x!.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
      const inner = axes.map((axis) => x!.shape[axis]!);
      const innerStrides = axes.map((axis) => x!.strides[axis]!);
      const count = inner.reduce((a, b) => a * b, 1);
      let o = 0;
      const outer = kept.map((axis) => x!.shape[axis]!);
      eachRow(outer, [kept.map((axis) => x!.strides[axis]!)], [x!.offset], ([i], [di], length) => {
        for (let k = 0; k < length; k++) {
          let total = start;
          eachRow(inner, [innerStrides], [i! + k * di!], ([at], [step], n) => {
            total = row(x!.array, at!, step!, n, total);
          });
          out!.array[o++] = finish ? finish(total, count) : total;
        }
      });
    },
    ...(backward && { backward: (call: Backward<Reduced>) => [backward(call)] }),
  };
}
