import type { Axes } from "../axes.js";

/**
 * JavaScript for an integer division, `const quotient = n / by`. gpu.js divides floats, which some adapters do
 * inexactly: the quotient is corrected.
 */
export function divideText(quotient: string, n: string, by: number): string {
  const shift = Math.log2(by);
  if (Number.isInteger(shift)) return `const ${quotient} = ${n} >> ${shift};`;
  return `let ${quotient} = (${n} / ${by}) | 0;
  if (${quotient} * ${by} > ${n}) { ${quotient} = ${quotient} - 1; }
  if (${quotient} * ${by} + ${by} <= ${n}) { ${quotient} = ${quotient} + 1; }`;
}

/**
 * JavaScript that computes the offset of element `n` of the axes, in row-major order, in each tensor: a constant for
 * each of `names`.
 *
 * @param starts - Offset of each tensor.
 * @param prefix - Prefix of the helper variables.
 */
export function offsetText(
  { lengths, steps }: Axes,
  names: readonly string[],
  starts: readonly string[],
  { n = "n", prefix = "walk" }: { n?: string; prefix?: string } = {},
): string {
  const lines: string[] = [];
  const indices: string[] = [];
  let left = n;
  for (let axis = lengths.length - 1; axis > 0; axis--) {
    const quotient = `${prefix}${axis}`;
    lines.push(divideText(quotient, left, lengths[axis]!));
    lines.push(`const ${prefix}At${axis} = ${left} - ${quotient} * ${lengths[axis]};`);
    indices[axis] = `${prefix}At${axis}`;
    left = quotient;
  }
  if (lengths.length > 0) indices[0] = left;
  names.forEach((name, t) => {
    const terms = indices.flatMap((index, axis) => {
      const step = steps[t]![axis]!;
      return step === 0 ? [] : [step === 1 ? index : `${index} * ${factorText(step)}`];
    });
    lines.push(`const ${name} = ${[starts[t]!, ...terms].join(" + ")};`);
  });
  return lines.join("\n  ");
}

/** Source text of an integer factor. */
export const factorText = (n: number): string => (n < 0 ? `(${n})` : String(n));
