/** Axes over which several tensors are traversed together: their lengths, and for each tensor the stride along each axis. */
export type Axes = { readonly lengths: readonly number[]; readonly strides: readonly (readonly number[])[] };

/** Drops axes of length 1, and merges neighbouring axes that are contiguous with each other in every tensor. */
export function mergeAxes(shape: readonly number[], tensors: readonly (readonly number[])[]): Axes {
  const lengths: number[] = [];
  const strides = tensors.map((): number[] => []);
  shape.forEach((length, axis) => {
    if (length === 1) return;
    const outer = lengths.length - 1;
    const fits =
      outer >= 0 && tensors.every((tensorStrides, t) => strides[t]![outer] === tensorStrides[axis]! * length);
    if (fits) lengths[outer]! *= length;
    else lengths.push(length);
    tensors.forEach((tensorStrides, t) => {
      if (fits) strides[t]![outer] = tensorStrides[axis]!;
      else strides[t]!.push(tensorStrides[axis]!);
    });
  });
  return { lengths, strides };
}
