import type { Axes } from "../axes.js";

/**
 * GLSL that computes the offset of element `n` of the axes, in row-major order, in each tensor: statements that define
 * `int NAME` for each name.
 *
 * @param starts - Offset of each tensor, as GLSL.
 */
export function offsetText(
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
