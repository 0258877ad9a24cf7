import { type DType, eachLine, type TypedArray } from "@qkv/core";
import type { Backward, Op } from "./op.js";
import type { Tensor } from "./tensor.js";

/** `axis`: the axis along which an op works. Default: the last. */
export type AxisOptions = { axis?: number };

/** The op on one line along the axis: reads `x[i + k * xStep]` and writes `out[o + k * outStep]`, for k < n. */
export type Line<A> = (
  out: TypedArray,
  o: number,
  outStep: number,
  x: TypedArray,
  i: number,
  xStep: number,
  n: number,
  attributes: A,
) => void;

/** An op that maps each line along one axis to a line of the same length. */
export function alongAxis<A extends { axis: number } = { axis: number }>(
  name: string,
  line: Line<A>,
  backward?: (call: Backward<A>) => Tensor | undefined,
  resultType?: DType,
): Op<A> {
  return {
    name,
    infer: ([x]) => [{ shape: x!.shape, dtype: resultType ?? x!.dtype }],
    kernel([x], [out], attributes) {
      const { axis } = attributes;
      const [n, outStep, xStep] = [x!.shape[axis]!, out!.strides[axis]!, x!.strides[axis]!];
      eachLine(axis, out!, x!, (o, i) => line(out!.array, o, outStep, x!.array, i, xStep, n, attributes));
    },
    ...(backward && { backward: (call: Backward<A>) => [backward(call)] }),
  };
}
