import { slice, type Tensor } from "@qkv/tensor";

/**
 * Splits a tensor into views of length 1 along an axis, by recursive halving. The gradient of a slice is a copy of the sliced tensor, so N
 * slices of the whole tensor would cost O(N²), and this costs O(N log N).
 */
export function unstack(x: Tensor, axis: number): Tensor[] {
  const length = x.shape[axis]!;
  if (length <= 1) return length === 1 ? [x] : [];
  const half = length >> 1;
  return [...unstack(slice(x, axis, 0, half), axis), ...unstack(slice(x, axis, half), axis)];
}
