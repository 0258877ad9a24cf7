// expect(actual).toBeAllclose(expected, { rtol, atol }): the comparison of torch.allclose and numpy.allclose, which names
// the worst number. A test that uses it imports this module.
import { expect } from "vitest";

/** Numbers in a list, or a tensor's: `{ data, shape }`. */
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
   * `atol` counts in units of the largest finite magnitude that is expected, or of 1 (or the number given) if that is
   * larger. Default false.
   */
  scaled?: boolean | number;
  /** NaN passes where NaN is expected. Default false. */
  equalNan?: boolean;
};

/** The verdict on two lists of numbers, with the message of a failure. */
export function allclose(
  actual: Numbers,
  expected: Numbers,
  tolerance: Tolerance = {},
): { pass: boolean; message: string } {
  const [a, b] = [listOf(actual), listOf(expected)];
  const [aShape, bShape] = [shapeOf(actual) ?? [a.length], shapeOf(expected) ?? [b.length]];
  // A list has no shape of its own: it is compared with a tensor's numbers in order.
  const sameShape =
    shapeOf(actual) && shapeOf(expected) ? String(aShape) === String(bShape) : a.length === b.length;
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
    // NaN, and infinity where a number is expected, are worse than any distance.
    const excess = Number.isFinite(distance) ? distance - allowed : Infinity;
    if (excess > worstExcess) [worst, worstExcess] = [i, excess];
  }
  if (failures === 0)
    return { pass: true, message: `no number of ${b.length} differs by more than the tolerance` };
  const index = coordinates(worst, shapeOf(expected) ?? shapeOf(actual) ?? [b.length]);
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

function listOf(numbers: Numbers): number[] {
  return Array.from("data" in numbers ? numbers.data : numbers, Number);
}

function shapeOf(numbers: Numbers): readonly number[] | undefined {
  return "data" in numbers ? numbers.shape : undefined;
}

/** The place of element `flat` in a tensor of this shape, row-major. */
function coordinates(flat: number, shape: readonly number[]): number[] {
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
