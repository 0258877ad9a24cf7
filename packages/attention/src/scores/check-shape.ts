import { checks, ShapeError } from "@qkv/core";
import { checkTensor, type Shape, type Tensor } from "@qkv/tensor";

/**
 * Refuses a tensor of another shape than `expected`, whose axes `letters` name: `[B, H, S, D]`.
 *
 * @param fix - Advice for the caller.
 */
export function checkShape(
  fn: string,
  argument: string,
  x: Tensor,
  letters: string,
  expected: Shape,
  fix: string,
): Tensor {
  const { shape } = checkTensor(fn, argument, x);
  const same = shape.length === expected.length && expected.every((length, axis) => length === shape[axis]);
  if (same) return x;
  return checks(fn).refuse(
    { argument, received: shape, expected: `${letters} = [${expected.join(", ")}]`, fix },
    ShapeError,
  );
}
