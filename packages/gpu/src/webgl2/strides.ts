import { broadcastStrides } from "@qkv/core";
import type { View } from "@qkv/tensor";

/** Axes that several tensors are walked along together: lengths, and for each tensor the step along each axis. */
export type Axes = { readonly lengths: number[]; readonly steps: number[][] };

/** Neighbouring axes that all tensors walk as one are one; axes of length 1 are none. */
export function joinAxes(shape: readonly number[], strides: readonly (readonly number[])[]): Axes {
  const lengths: number[] = [];
  const steps: number[][] = strides.map(() => []);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis]!;
    if (length === 1) continue;
    const joins = lengths.length > 0 && strides.every((own, t) => own[axis] === steps[t]![0]! * lengths[0]!);
    if (joins) lengths[0]! *= length;
    else {
      lengths.unshift(length);
      strides.forEach((own, t) => steps[t]!.unshift(own[axis]!));
    }
  }
  return { lengths, steps };
}

/** The strides of inputs that broadcast to a shape. */
export function stridesTo(shape: readonly number[], views: readonly View[]): number[][] {
  return views.map((view) => [...broadcastStrides([...shape], [...view.shape], [...view.strides])]);
}

/**
 * GLSL that finds where number `n` of a walk lies in each tensor: statements that define `int NAME` for each name.
 *
 * @param starts - Where each tensor begins, as GLSL.
 */
export function placeText(
  { lengths, steps }: Axes,
  names: readonly string[],
  starts: readonly string[],
): string {
  const lines = names.map((name, t) => `int ${name} = ${starts[t]};`);
  if (lengths.length > 0) lines.push("int rest = n;");
  for (let axis = lengths.length - 1; axis >= 0; axis--) {
    const first = axis === 0;
    const index = first ? "rest" : `(rest % ${lengths[axis]})`;
    names.forEach((name, t) => {
      const step = steps[t]![axis]!;
      if (step !== 0) lines.push(`${name} += ${index}${step === 1 ? "" : ` * ${step}`};`);
    });
    if (!first) lines.push(`rest /= ${lengths[axis]};`);
  }
  return lines.join("\n  ");
}

/** The walk over n numbers in order, one after the other. */
export function isInOrder({ lengths, steps }: Axes, tensor: number): boolean {
  return lengths.length === 0 || (lengths.length === 1 && steps[tensor]![0] === 1);
}
