import { type DType, eachRow, type TypedArray } from "@qkv/core";
import type { Backward, Op } from "./op.js";
import type { Tensor } from "./tensor.js";

/** `axis`: which axis an op works along. Default: the last. */
export type AxisOptions = { axis?: number };

/** One line along the axis: n numbers from `x[i]` in steps of `di` to `out[o]` in steps of `dO`. */
export type Line<A> = (
  out: TypedArray,
  o: number,
  dO: number,
  x: TypedArray,
  i: number,
  di: number,
  n: number,
  attributes: A,
) => void;

/** An op that turns each line along one axis into a line of the same length. */
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
      const others = (list: readonly number[]) => list.filter((_, a) => a !== axis);
      const n = x!.shape[axis]!;
      const dO = out!.strides[axis]!;
      const di = x!.strides[axis]!;
      const strides = [others(out!.strides), others(x!.strides)];
      eachRow(others(x!.shape), strides, [0, x!.offset], ([o, i], [stepO, stepI], length) => {
        for (let k = 0; k < length; k++)
          line(out!.array, o! + k * stepO!, dO, x!.array, i! + k * stepI!, di, n, attributes);
      });
    },
    ...(backward && { backward: (call: Backward<A>) => [backward(call)] }),
  };
}
