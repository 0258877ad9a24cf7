import { numberAt, type Tensor } from "./tensor.js";

const edge = 3; // elements kept at each end of a long axis
const longest = 1000; // tensors up to this size are printed whole

/** A tensor as text: rows under each other, columns aligned, long axes cut in the middle. */
export function format({ data, shape, dtype }: Tensor): string {
  const cut = data.length > longest;
  const visit = (axis: number, start: number, size: number, write: (value: number) => string): string => {
    if (axis === shape.length) return write(numberAt(data, start, dtype));
    const length = shape[axis]!;
    const parts: string[] = [];
    for (let i = 0; i < length; i++) {
      if (cut && length > 2 * edge && i === edge) {
        parts.push("...");
        i = length - edge;
      }
      parts.push(visit(axis + 1, start + (i * size) / length, size / length, write));
    }
    const depth = shape.length - axis - 1;
    return `[${parts.join(depth === 0 ? ", " : `,${"\n".repeat(depth)}${" ".repeat(axis + 1)}`)}]`;
  };
  if (dtype === "bool") return visit(0, 0, data.length, (value) => String(value === 1));
  // A first walk sees what is shown, and with it how numbers are written and how wide.
  const shown: number[] = [];
  visit(0, 0, data.length, (value) => String(shown.push(value)));
  const spell = spelling(shown);
  const width = Math.max(0, ...shown.map((value) => spell(value).length));
  return visit(0, 0, data.length, (value) => spell(value).padStart(width));
}

/** Up to four decimals, or powers of ten where numbers are very large or very unlike. */
function spelling(values: readonly number[]): (value: number) => string {
  const sizes = values.map(Math.abs).filter((size) => size > 0 && size < Infinity);
  const [smallest, largest] = [Math.min(...sizes), Math.max(...sizes)];
  const whole = values.every((value) => Number.isInteger(value) || !Number.isFinite(value));
  const powers = largest >= (whole ? 1e15 : 1e8) || (smallest < 1e-4 && largest / smallest > 1e3);
  return (value) =>
    !Number.isFinite(value)
      ? String(value).replace("NaN", "nan").replace("Infinity", "inf")
      : powers
        ? value.toExponential(4)
        : String(Number(value.toFixed(4)));
}
