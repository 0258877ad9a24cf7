import { run } from "./op.js";
import { concatOp } from "./ops/concat.js";
import { sliceOp } from "./ops/slice-and-pad.js";
import type { Tensor } from "./tensor.js";

/**
 * Combines each number along an axis with all previous ones (an inclusive scan), in log n passes over the axis: after each pass, a
 * number combines twice as many (Hillis and Steele, 1986). It consists of ops, so it has a gradient and runs on every device.
 *
 * @param combine - An associative function; its second argument has the previous numbers.
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
