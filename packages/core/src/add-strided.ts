import type { TypedArray } from "./dtype.js";
import { eachBroadcastRow, type Strided } from "./rows.js";
import { broadcastShapes } from "./shape.js";

/**
 * Adds numbers to others, with broadcasting both ways: where a shape has length 1 or lacks an axis, many numbers meet in
 * one place, or one is added in many.
 */
export function addStrided(
  from: Strided & { readonly array: TypedArray },
  to: Strided & { readonly array: TypedArray },
): void {
  const [source, target] = [from.array, to.array];
  eachBroadcastRow(broadcastShapes("add", to.shape, from.shape), [to, from], ([o, i], [dO, di], n) => {
    if (dO !== 0) for (let k = 0; k < n; k++) target[o! + k * dO!]! += source[i! + k * di!]!;
    else {
      // One place: its sum stays in a register.
      let total = target[o!]!;
      for (let k = 0; k < n; k++) total += source[i! + k * di!]!;
      target[o!] = total;
    }
  });
}
