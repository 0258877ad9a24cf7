import { reshaped } from "../ops/reshape.js";
import { write } from "../ops/write.js";
import type { Tensor } from "../tensor.js";

/** Replaces all numbers of a tensor in place. */
export function overwrite(target: Tensor, source: Tensor): void {
  // `write` needs an axis, which a tensor of shape [] does not have.
  const withAxis = (x: Tensor) => (x.shape.length === 0 ? reshaped(x, [1]) : x);
  write(withAxis(target), 0, 0, withAxis(source));
}
