import { reshaped } from "../ops/reshape.js";
import { write } from "../ops/write.js";
import type { Tensor } from "../tensor.js";

/** Writes other numbers into all of a tensor, in place. */
export function overwrite(target: Tensor, source: Tensor): void {
  // A single number has no axis to write along.
  const withAxis = (x: Tensor) => (x.shape.length === 0 ? reshaped(x, [1]) : x);
  write(withAxis(target), 0, 0, withAxis(source));
}
