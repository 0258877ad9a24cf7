/** Axes along which tensors are walked together: lengths, and for each tensor its stride along each. */
export type Axes = { readonly lengths: readonly number[]; readonly strides: readonly (readonly number[])[] };

/** The same walk in as few axes as it takes: axes of length 1 go, and neighbours that all tensors pass through as one are one. */
export function mergeAxes(shape: readonly number[], tensors: readonly (readonly number[])[]): Axes {
  const lengths: number[] = [];
  const strides = tensors.map((): number[] => []);
  shape.forEach((length, axis) => {
    if (length === 1) return;
    const outer = lengths.length - 1;
    const fits = outer >= 0 && tensors.every((own, t) => strides[t]![outer] === own[axis]! * length);
    if (fits) lengths[outer]! *= length;
    else lengths.push(length);
    tensors.forEach((own, t) => {
      if (fits) strides[t]![outer] = own[axis]!;
      else strides[t]!.push(own[axis]!);
    });
  });
  return { lengths, strides };
}
