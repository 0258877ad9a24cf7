import {
  checkOptions,
  type DType,
  eachGroup,
  eachRow,
  normalizeAxes,
  type Reduced,
  reducedShape,
  sizeOf,
  type TypedArray,
} from "@qkv/core";
import { checkBoolean } from "./check-boolean.js";
import type { Backward, Op } from "./op.js";
import type { Tensor } from "./tensor.js";

/** Axes of a reduction. */
export type ReduceOptions = {
  /** One axis or several. Default: all. */
  axis?: number | readonly number[];
  /** Keeps the axes with length 1. Default: they are dropped. */
  keepDims?: boolean;
};

/** Checks the options of a reduction, and fills in defaults. */
export function reducedAxes(fn: string, { shape }: Tensor, options: ReduceOptions | undefined): Reduced {
  const { axis, keepDims = false } = checkOptions(fn, options, ["axis", "keepDims"]);
  checkBoolean(fn, "keepDims", keepDims);
  return { axes: normalizeAxes(fn, axis, shape.length), keepDims };
}

/**
 * An op that reduces whole axes. `row` adds the elements of a row to an accumulator, in order; `finish` turns the accumulator of
 * `count` elements into the result.
 */
export function reduceOp(
  name: string,
  parts: {
    start: number;
    row(x: TypedArray, i: number, di: number, n: number, total: number): number;
    finish?(total: number, count: number): number;
    backward?(call: Backward<Reduced>): Tensor | undefined;
    /** Default: the type of x. */
    resultType?(from: DType): DType;
  },
): Op<Reduced> {
  const { start, row, finish, backward, resultType } = parts;
  return {
    name,
    infer: ([x], reduced) => [
      { shape: reducedShape(x!.shape, reduced), dtype: resultType?.(x!.dtype) ?? x!.dtype },
    ],
    flops: ([x]) => sizeOf(x!.shape),
    kernel([x], [out], { axes }) {
      const count = axes.reduce((product, axis) => product * x!.shape[axis]!, 1);
      eachGroup(x!, axes, ({ at, shape, strides }, o) => {
        let total = start;
        eachRow(shape, [strides], [at], ([i], [di], n) => {
          total = row(x!.array, i!, di!, n, total);
        });
        out!.array[o] = finish ? finish(total, count) : total;
      });
    },
    ...(backward && { backward: (call: Backward<Reduced>) => [backward(call)] }),
  };
}
