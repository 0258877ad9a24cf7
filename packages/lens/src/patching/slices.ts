import { concat, slice, type Tensor } from "@qkv/tensor";

/** One stretch of an axis in place of another: `x` with `instead` from `start` on. */
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

/** Tensors of heads, `[B, H, T, …]`: positions are their third axis. */
const byHead = /\.attention\.(query|key|value|dots|capped|scores|weights|heads|lse)$/;

/** Tells tensors with an axis of heads, by their full name. */
export const hasHeads = (name: string): boolean => byHead.test(name);

/** The axis of positions of a tensor, by its full name. */
export const positionAxis = (name: string): number => (hasHeads(name) ? 2 : 1);
