import { run } from "./op.js";
import { concatOp } from "./ops/concat.js";
import { sliceOp } from "./ops/slice-and-pad.js";
import type { Tensor } from "./tensor.js";

/**
 * Combines each number along an axis with all that stand before it, in log n passes over the axis: after each, a number
 * stands for twice as many (Hillis and Steele, 1986). Written with ops, so that it has their gradient on every device.
 *
 * @param combine - Associative; its second argument is what stands before.
 */
export function prefixScan(x: Tensor, axis: number, combine: (a: Tensor, before: Tensor) => Tensor): Tensor {
  const n = x.shape[axis]!;
  let result = x;
  for (let step = 1; step < n; step *= 2) {
    const part = (start: number, end: number) => run(sliceOp, [result], { axis, start, end });
    result = run(concatOp, [part(0, step), combine(part(step, n), part(0, n - step))], { axis });
  }
  return result;
}
