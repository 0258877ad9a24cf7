import { slice, type Tensor } from "@qkv/tensor";

/**
 * Views of length 1 along an axis, one for each place. Cut in halves again and again: the gradient of a cut is a copy
 * of what was cut, so N cuts of the whole would cost N² and these cost N log N.
 */
export function unstack(x: Tensor, axis: number): Tensor[] {
  const length = x.shape[axis]!;
  if (length <= 1) return length === 1 ? [x] : [];
  const half = length >> 1;
  return [...unstack(slice(x, axis, 0, half), axis), ...unstack(slice(x, axis, half), axis)];
}
