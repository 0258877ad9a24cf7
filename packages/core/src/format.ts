import type { DType, TypedArray } from "./dtype.js";
import { numberAt } from "./half.js";
import type { Shape } from "./shape.js";

/** Numbers with a shape and a type: what can be printed. */
export type Numbers = { readonly data: TypedArray; readonly shape: Shape; readonly dtype: DType };

/** Numbers as text: rows under each other, columns aligned, long axes cut in the middle. */
export function format({ data, shape, dtype }: Numbers): string {
  let width = 0;
  const walk = (axis: number, start: number, size: number): string => {
    if (axis === shape.length) {
      const text = dtype === "bool" ? String(data[start] === 1) : spell(numberAt(data, start, dtype));
      width = Math.max(width, text.length);
      return text.padStart(width);
    }
    const length = shape[axis]!;
    const parts: string[] = [];
    for (let i = 0; i < length; i++) {
      // Of more than 1,000 numbers, three at each end of a long axis are shown.
      if (i === 3 && length > 6 && data.length > 1000) {
        parts.push("...");
        i = length - 3;
      }
      parts.push(walk(axis + 1, start + (i * size) / length, size / length));
    }
    const depth = shape.length - axis - 1;
    return `[${parts.join(depth > 0 ? `,${"\n".repeat(depth)}${" ".repeat(axis + 1)}` : ", ")}]`;
  };
  walk(0, 0, data.length); // finds the width of the widest number
  return walk(0, 0, data.length);
}

/** Up to four decimals and all digits before them; of numbers below 1, and of huge ones, four digits. */
function spell(value: number): string {
  const size = Math.abs(value);
  return String(Number(size < 1 || size > 1e15 ? value.toPrecision(4) : value.toFixed(4)));
}
