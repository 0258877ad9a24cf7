import { eachGroup, eachRow, type Reduced, reducedShape, sizeOf } from "@qkv/core";
import type { Op } from "./op.js";

/**
 * An op that gives the index of the largest number of each group, or, with `sign` -1, of the smallest: the first of equals,
 * and the first NaN where there is one. No gradient flows through it.
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
