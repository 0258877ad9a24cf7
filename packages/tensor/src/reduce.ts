import {
  type DType,
  eachRow,
  normalizeAxis,
  refuse,
  refuseShape,
  type Shape,
  sizeOf,
  type TypedArray,
} from "@qkv/core";
import type { View } from "./contracts.js";
import type { Backward, Op } from "./op.js";
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
  const axes = given.map((one) => normalizeAxis(fn, one, rank));
  if (new Set(axes).size === axes.length) return { axes, keepDims };
  refuse(
    fn,
    "axis",
    given.join(", "),
    "each axis once",
    "leave out the second mention; negative axes count from the end.",
  );
}

/** The numbers that one result is made of: where they begin, and their axes. */
export type Group = { readonly at: number; readonly shape: Shape; readonly strides: Shape };

/** Calls `visit` for each result of a reduction, in order; `o` counts them. */
export function eachGroup(
  { shape, strides, offset }: View,
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

/** The shape rule of a reduction. */
export function reducedShape(shape: Shape, { axes, keepDims }: Reduced): Shape {
  return keepDims
    ? shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
    : shape.filter((_, axis) => !axes.includes(axis));
}

/** Refuses axes without a number on them. For reductions that nothing is the result of. */
export function checkNotEmpty(fn: string, { shape }: Tensor, axes: readonly number[]): void {
  if (!axes.some((axis) => shape[axis] === 0)) return;
  refuseShape(
    fn,
    "x",
    shape,
    "one number or more along the axes that are reduced",
    "leave the call out where there is nothing to compare.",
  );
}

/**
 * An op that takes whole axes together. `row` folds a row into the total so far, in order; `finish` turns the
 * total of `count` elements into the result.
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
