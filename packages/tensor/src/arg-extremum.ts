import { eachGroup, eachRow, type Reduced, reducedShape, sizeOf } from "@qkv/core";
import type { Op } from "./op.js";

/**
 * An op that returns the index of the largest number of each group or, with `sign` -1, of the smallest: the first one if several
 * are equal, and the first NaN if there is one. It has no gradient.
 */
export function argExtremum(name: string, sign: 1 | -1): Op<Reduced> {
  return {
    name,
    infer: ([x], reduced) => [{ shape: reducedShape(x!.shape, reduced), dtype: "int32" }],
    flops: ([x]) => sizeOf(x!.shape),
    kernel([x], [out], { axes }) {
      eachGroup(x!, axes, ({ at, shape, strides }, o) => {
        let best = -Infinity;
        let place = 0;
        let seen = 0;
        eachRow(shape, [strides], [at], ([i], [di], n) => {
          for (let k = 0; k < n; k++, seen++) {
            const value = sign * x!.array[i! + k * di!]!;
            if (value > best || (Number.isNaN(value) && !Number.isNaN(best))) {
              best = value;
              place = seen;
            }
          }
        });
        out!.array[o] = place;
      });
    },
  };
}
