// expect(actual).toBeAllclose(expected, { rtol, atol }): the comparison of torch.allclose and numpy.allclose, which names
// the worst number. A test that uses it imports this module.
import { expect } from "vitest";

/** A list of numbers, or a tensor: `{ data, shape }`. */
export type Numbers =
  | ArrayLike<number | bigint | boolean>
  | { readonly data: ArrayLike<number | bigint | boolean>; readonly shape: readonly number[] };

/** A number passes where `|actual − expected| <= atol + rtol · |expected|`. */
export type Tolerance = {
  /** Default 1e-5. */
  rtol?: number;
  /** Default 1e-8. */
  atol?: number;
  /**
   * True multiplies `atol` by the largest finite magnitude of the expected numbers, or by 1 if that is larger; a number
   * replaces that 1. Default false.
   */
  scaled?: boolean | number;
  /** True if NaN equals NaN. Default false. */
  equalNan?: boolean;
};

/** Compares two lists of numbers, and returns the message of a failure. */
export function allclose(
  actual: Numbers,
  expected: Numbers,
  tolerance: Tolerance = {},
): { pass: boolean; message: string } {
  const [a, b] = [toNumbers(actual), toNumbers(expected)];
  const [aShape, bShape] = [tensorShape(actual) ?? [a.length], tensorShape(expected) ?? [b.length]];
  // A list without a shape is compared in order with the data of a tensor.
  const sameShape =
    tensorShape(actual) && tensorShape(expected) ? String(aShape) === String(bShape) : a.length === b.length;
  if (!sameShape) {
    return { pass: false, message: `received shape [${aShape.join(", ")}], expected [${bShape.join(", ")}]` };
  }
  const { rtol = 1e-5, atol = 1e-8, scaled = false, equalNan = false } = tolerance;
  let unit = 1;
  if (scaled)
    for (let i = 0; i < b.length; i++) if (Number.isFinite(b[i])) unit = Math.max(unit, Math.abs(b[i]!));
  let [failures, worst, worstExcess] = [0, 0, -Infinity];
  for (let i = 0; i < b.length; i++) {
    if (a[i] === b[i] || (equalNan && Number.isNaN(a[i]) && Number.isNaN(b[i]))) continue;
    const allowed = atol * unit + rtol * Math.abs(b[i]!);
    const distance = Math.abs(a[i]! - b[i]!);
    if (distance <= allowed && Number.isFinite(allowed)) continue;
    failures += 1;
    // NaN, and an infinity where a finite number is expected, are worse than any difference.
    const excess = Number.isFinite(distance) ? distance - allowed : Infinity;
    if (excess > worstExcess) [worst, worstExcess] = [i, excess];
  }
  if (failures === 0)
    return { pass: true, message: `no number of ${b.length} differs by more than the tolerance` };
  const index = unravelIndex(worst, tensorShape(expected) ?? tensorShape(actual) ?? [b.length]);
  const [got, wanted] = [a[worst]!, b[worst]!];
  const scale = unit === 1 ? "" : ` · ${unit}`;
  return {
    pass: false,
    message:
      `${failures} of ${b.length} numbers differ by more than the tolerance; the worst at [${index.join(", ")}]: ` +
      `expected ${wanted}, received ${got}, which differ by ${Math.abs(got - wanted)}; allowed is ` +
      `${atol * unit + rtol * Math.abs(wanted)} = atol ${atol}${scale} + rtol ${rtol} · |expected|`,
  };
}

function toNumbers(numbers: Numbers): number[] {
  return Array.from("data" in numbers ? numbers.data : numbers, Number);
}

function tensorShape(numbers: Numbers): readonly number[] | undefined {
  return "data" in numbers ? numbers.shape : undefined;
}

/** Indices, one for each axis, of the element at the row-major offset `flat`. */
function unravelIndex(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(flat % shape[axis]!);
    flat = Math.floor(flat / shape[axis]!);
  }
  return index;
}

expect.extend({
  toBeAllclose(actual: Numbers, expected: Numbers, tolerance?: Tolerance) {
    const { pass, message } = allclose(actual, expected, tolerance);
    return { pass, message: () => message };
  },
});

declare module "vitest" {
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- the type parameters are those that vitest declares
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> {
    toBeAllclose(expected: Numbers, tolerance?: Tolerance): R;
  }
}
