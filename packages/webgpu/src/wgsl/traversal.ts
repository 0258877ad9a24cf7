import { mergeAxes, type Axes } from "../axes.js";
import type { Params } from "../params.js";
import { deviceError } from "../failures.js";

/** A traversal of axes whose lengths and strides are parameters, so that one shader serves all shapes of a rank. */
export type Traversal = {
  /** Number of axes, on which the shader's text depends. */
  readonly rank: number;
  /**
   * WGSL that computes the offset of element `n`, in row-major order, in each tensor: an `i32` variable for each.
   *
   * @param n - An expression of type `u32`.
   */
  text(n: string): string;
};

/**
 * A traversal of a shape in row-major order. It adds its parameters to `params`.
 *
 * @param prefix - Prefix of the parameters' names.
 * @param tensors - Strides and offset of each tensor, by the name of the variable for its offset.
 */
export function traversal(
  op: string,
  params: Params,
  prefix: string,
  shape: readonly number[],
  tensors: Readonly<Record<string, { strides: readonly number[]; offset: number }>>,
): Traversal {
  const names = Object.keys(tensors);
  const { lengths, strides }: Axes = mergeAxes(
    shape,
    names.map((name) => tensors[name]!.strides),
  );
  const rank = lengths.length;
  if (!params.fits((rank + 1) * (names.length + 1)))
    throw deviceError(op, "size", `${names.length} views that differ along ${rank} axes`);
  // The index of the first axis is the remaining quotient: its length is not needed.
  for (let axis = 1; axis < rank; axis++) params.u32(`${prefix}Length${axis}`, lengths[axis]!);
  names.forEach((name, t) => {
    params.i32(`${name}Start`, tensors[name]!.offset);
    for (let axis = 0; axis < rank; axis++) params.i32(`${name}Step${axis}`, strides[t]![axis]!);
  });
  return {
    rank,
    text(n) {
      const lines: string[] = [];
      let rest = n;
      for (let axis = rank - 1; axis > 0; axis--) {
        lines.push(`let ${prefix}At${axis} = i32((${rest}) % p.${prefix}Length${axis});`);
        lines.push(`let ${prefix}Rest${axis} = (${rest}) / p.${prefix}Length${axis};`);
        rest = `${prefix}Rest${axis}`;
      }
      if (rank > 0) lines.push(`let ${prefix}At0 = i32(${rest});`);
      for (const name of names) {
        const terms = [`p.${name}Start`];
        for (let axis = 0; axis < rank; axis++) terms.push(`${prefix}At${axis} * p.${name}Step${axis}`);
        lines.push(`let ${name} = ${terms.join(" + ")};`);
      }
      return lines.join("\n  ");
    },
  };
}
