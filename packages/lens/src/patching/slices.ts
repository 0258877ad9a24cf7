import { concat, slice, type Tensor } from "@qkv/tensor";

/** Replaces a slice: `x` with `instead` from index `start` of an axis on. */
export function replaceSlice(x: Tensor, axis: number, start: number, instead: Tensor): Tensor {
  const end = start + instead.shape[axis]!;
  const length = x.shape[axis]!;
  const parts = [
    ...(start > 0 ? [slice(x, axis, 0, start)] : []),
    instead,
    ...(end < length ? [slice(x, axis, end, length)] : []),
  ];
  return parts.length === 1 ? instead : concat(parts, axis);
}

/** Names of tensors with an axis of heads, `[B, H, T, …]`. */
const byHead = /\.attention\.(query|key|value|dots|capped|scores|weights|heads|lse)$/;

/** True if the tensor with this full name has an axis of heads. */
export const hasHeads = (name: string): boolean => byHead.test(name);

/** The axis of positions of the tensor with this full name. */
export const positionAxis = (name: string): number => (hasHeads(name) ? 2 : 1);
