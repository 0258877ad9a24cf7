import { checkTensor, run, type Op } from "../op.js";
import {
  checkNotEmpty,
  eachGroup,
  reducedAxes,
  reducedShape,
  type Reduced,
  type ReduceOptions,
} from "../reduce.js";
import { eachRow } from "../rows.js";
import { sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";

export const argmaxOp: Op<Reduced> = {
  name: "argmax",
  infer: ([x], reduced) => [{ shape: reducedShape(x!.shape, reduced), dtype: "int32" }],
  flops: ([x]) => sizeOf(x!.shape),
  kernel([x], [out], { axes }) {
    eachGroup(x!, axes, ({ at, shape, strides }, o) => {
      let best = -Infinity;
      let place = 0;
      let seen = 0;
      eachRow(shape, [strides], [at], ([i], [di], n) => {
        for (let k = 0; k < n; k++, seen++) {
          const value = x!.array[i! + k * di!]!;
          if (value > best || (Number.isNaN(value) && !Number.isNaN(best))) {
            best = value;
            place = seen;
          }
        }
      });
      out!.array[o] = place;
    });
  },
  backward: () => [],
};

/**
 * Where the largest number stands: the first of equals, and the first NaN where there is one. No gradient flows
 * through it.
 *
 * @param options - `axis`: one axis, or several, whose places are counted row by row. Default: all. `keepDims`:
 *   default false.
 * @returns int32.
 * @throws {ShapeError} If there is no number to choose from.
 *
 * @example
 * ```ts
 * import { argmax, tensor } from "@qkv/tensor";
 *
 * argmax(tensor([[1, 5], [7, 2]]), { axis: 1 }).toNested(); // => [1, 0]
 * argmax(tensor([[1, 5], [7, 2]])).toNested(); // => 2
 * ```
 */
export function argmax(x: Tensor, options: ReduceOptions = {}): Tensor {
  const reduced = reducedAxes("argmax", checkTensor("argmax", "x", x), options);
  checkNotEmpty("argmax", x, reduced.axes);
  return run(argmaxOp, [x], reduced);
}
