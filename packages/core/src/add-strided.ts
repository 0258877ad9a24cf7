import type { TypedArray } from "./dtype.js";
import { eachBroadcastRow, type Strided } from "./rows.js";
import { broadcastShapes } from "./shape.js";

/**
 * Adds `from` to `to` in place. Both broadcast: an axis that `from` lacks, or has with length 1, is repeated; along an axis
 * that `to` lacks, or has with length 1, the numbers of `from` are summed.
 */
export function addStrided(
  from: Strided & { readonly array: TypedArray },
  to: Strided & { readonly array: TypedArray },
): void {
  const [source, target] = [from.array, to.array];
  eachBroadcastRow(broadcastShapes("add", to.shape, from.shape), [to, from], ([o, i], [dO, di], n) => {
    if (dO !== 0) for (let k = 0; k < n; k++) target[o! + k * dO!]! += source[i! + k * di!]!;
    else {
      // All numbers are added to one element: the sum is kept in a local variable.
      let total = target[o!]!;
      for (let k = 0; k < n; k++) total += source[i! + k * di!]!;
      target[o!] = total;
    }
  });
}
