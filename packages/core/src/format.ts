import type { DType, TypedArray } from "./dtype.js";
import { numberAt } from "./half.js";
import type { Shape } from "./shape.js";

/** Elements with a shape and a dtype, such as those of a tensor. */
export type Numbers = { readonly data: TypedArray; readonly shape: Shape; readonly dtype: DType };

/** Formats elements as text, as NumPy prints them: one line per row, aligned columns, long axes shortened with `...`. */
export function format({ data, shape, dtype }: Numbers): string {
  let width = 0;
  /** Text of the sub-array at `start`, which has `size` elements and the axes from `axis` on. */
  const formatFrom = (axis: number, start: number, size: number): string => {
    if (axis === shape.length) {
      const text = dtype === "bool" ? String(data[start] === 1) : formatNumber(numberAt(data, start, dtype));
      width = Math.max(width, text.length);
      return text.padStart(width);
    }
    const length = shape[axis]!;
    const parts: string[] = [];
    for (let i = 0; i < length; i++) {
      // With more than 1,000 elements, only the first three and the last three of a long axis are shown.
      if (i === 3 && length > 6 && data.length > 1000) {
        parts.push("...");
        i = length - 3;
      }
      parts.push(formatFrom(axis + 1, start + (i * size) / length, size / length));
    }
    const depth = shape.length - axis - 1;
    return `[${parts.join(depth > 0 ? `,${"\n".repeat(depth)}${" ".repeat(axis + 1)}` : ", ")}]`;
  };
  formatFrom(0, 0, data.length); // the first pass finds the width of the widest number
  return formatFrom(0, 0, data.length);
}

/** Up to four decimals; four significant digits for numbers below 1 and above 1e15. */
function formatNumber(value: number): string {
  const size = Math.abs(value);
  return String(Number(size < 1 || size > 1e15 ? value.toPrecision(4) : value.toFixed(4)));
}
