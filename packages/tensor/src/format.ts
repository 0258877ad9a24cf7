import { isPacked } from "./dtype.js";
import { fromHalfBits } from "./half.js";
import type { Tensor } from "./tensor.js";

const edge = 3; // elements kept at each end of a long axis
const longest = 1000; // tensors up to this size are printed whole

/** A tensor as text: rows under each other, columns aligned, long axes cut in the middle. */
export function format(tensor: Tensor): string {
  const { shape, dtype } = tensor;
  const data = isPacked(dtype)
    ? Float64Array.from(tensor.data, (bits) => fromHalfBits(bits, dtype))
    : tensor.data;
  const cut = data.length > longest;
  const shown: number[] = [];
  const visit = (axis: number, at: number, leaf: (at: number) => string): string => {
    if (axis === shape.length) return leaf(at);
    const length = shape[axis]!;
    const step = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const parts: string[] = [];
    for (let i = 0; i < length; i++) {
      if (cut && length > 2 * edge && i === edge) {
        parts.push("...");
        i = length - edge;
      }
      parts.push(visit(axis + 1, at + i * step, leaf));
    }
    const depth = shape.length - axis - 1;
    const between = depth === 0 ? ", " : `,${"\n".repeat(depth)}${" ".repeat(axis + 1)}`;
    return `[${parts.join(between)}]`;
  };
  visit(0, 0, (at) => String(shown.push(data[at]!)));
  const write = numberWriter(shown, dtype.includes("int"), dtype === "bool");
  return visit(0, 0, (at) => write(data[at]!));
}

function numberWriter(values: number[], whole: boolean, bool: boolean): (value: number) => string {
  if (bool) return (value) => (value ? "true" : "false");
  const finite = values.filter(Number.isFinite).map(Math.abs);
  const largest = Math.max(0, ...finite);
  const smallest = Math.min(...finite.filter((value) => value > 0), largest);
  const scientific =
    !whole && (largest >= 1e8 || (smallest > 0 && smallest < 1e-4 && largest / smallest > 1e3));
  const spell = (value: number): string =>
    Number.isNaN(value)
      ? "nan"
      : !Number.isFinite(value)
        ? value > 0
          ? "inf"
          : "-inf"
        : whole
          ? String(value)
          : scientific
            ? value.toExponential(4)
            : String(Number(value.toFixed(4)));
  const width = Math.max(0, ...values.map((value) => spell(value).length));
  return (value) => spell(value).padStart(width);
}
