import { reducedShape } from "../reduce.js";
import type { Shape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { reshape } from "./reshape.js";

/** What a reduction of `shape` gave, with the reduced axes back as length 1, so that it broadcasts with its input. */
export function keptAxes(reduced: Tensor, shape: Shape, axes: readonly number[]): Tensor {
  return reshape(reduced, reducedShape(shape, { axes, keepDims: true }));
}
