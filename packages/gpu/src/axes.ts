import { broadcastStrides } from "@qkv/core";
import type { View } from "@qkv/tensor";

/** Axes over which several tensors are traversed together: their lengths, and for each tensor the stride along each axis. */
export type Axes = { readonly lengths: number[]; readonly steps: number[][] };

/** Drops axes of length 1, and merges neighbouring axes that are contiguous with each other in every tensor. */
export function mergeAxes(shape: readonly number[], strides: readonly (readonly number[])[]): Axes {
  const lengths: number[] = [];
  const steps: number[][] = strides.map(() => []);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis]!;
    if (length === 1) continue;
    const merges =
      lengths.length > 0 && strides.every((strides, t) => strides[axis] === steps[t]![0]! * lengths[0]!);
    if (merges) lengths[0]! *= length;
    else {
      lengths.unshift(length);
      strides.forEach((strides, t) => steps[t]!.unshift(strides[axis]!));
    }
  }
  return { lengths, steps };
}

/** The strides of inputs that broadcast to a shape. */
export function stridesForBroadcast(shape: readonly number[], views: readonly View[]): number[][] {
  return views.map((view) => [...broadcastStrides([...shape], [...view.shape], [...view.strides])]);
}

/** True if a tensor is traversed in order, one number after the other. */
export function isInOrder({ lengths, steps }: Axes, tensor: number): boolean {
  return lengths.length === 0 || (lengths.length === 1 && steps[tensor]![0] === 1);
}
