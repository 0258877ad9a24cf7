/** Comparison of an output with its reference. It passes if `error` is at most `tolerance`; a NaN fails. */
export type Check = {
  output: string;
  error: number;
  tolerance: number;
  /** A description of the mismatch, if the error alone does not explain it. */
  detail?: string;
};

/** Elements with a shape: our output after reading, or the reference. */
export type Values = { shape: readonly number[]; values: ArrayLike<number> };

export const passes = (check: Check): boolean => check.error <= check.tolerance;

/** A check that fails for another reason than the size of an error. */
export const mismatch = (output: string, tolerance: number, detail: string): Check => ({
  output,
  error: Infinity,
  tolerance,
  detail,
});

/**
 * Compares elements. The error is `max |a - b| / max(1, max |b|)` over the finite elements of the reference `b`, or without the
 * divisor if `absolute` is set. Shapes must be equal, and infinities and NaN must be at the same positions with the same
 * signs; an infinity or NaN of ours at a finite element of the reference is a mismatch.
 */
export function compareNumbers(
  output: string,
  ours: Values,
  reference: Values,
  tolerance: number,
  { absolute = false } = {},
): Check {
  const shapes = compareShapes(output, ours.shape, reference.shape, tolerance);
  if (shapes) return shapes;
  let largest = 1;
  let difference = 0;
  for (let i = 0; i < reference.values.length; i++) {
    const a = ours.values[i]!;
    const b = reference.values[i]!;
    if (Number.isFinite(a) && Number.isFinite(b)) {
      difference = Math.max(difference, Math.abs(a - b));
      largest = Math.max(largest, Math.abs(b));
    } else if (!Object.is(a, b)) {
      return mismatch(output, tolerance, `${a} at ${placeOf(i, reference.shape)}, expected ${b}`);
    }
  }
  return { output, error: absolute ? difference : difference / largest, tolerance };
}

/** Compares integers and booleans for equality. */
export function compareExactly(output: string, ours: Values, reference: Values): Check {
  const shapes = compareShapes(output, ours.shape, reference.shape, 0);
  if (shapes) return shapes;
  for (let i = 0; i < reference.values.length; i++) {
    const [a, b] = [ours.values[i]!, reference.values[i]!];
    if (a !== b) return mismatch(output, 0, `${a} at ${placeOf(i, reference.shape)}, expected ${b}`);
  }
  return { output, error: 0, tolerance: 0 };
}

/** Compares index sets: rows of the last axis in any order, padded with −1. */
export function compareSets(output: string, ours: Values, reference: Values): Check {
  const size = reference.shape.at(-1) ?? 1;
  const sorted = ({ shape, values }: Values): Values => {
    const rows = Array.from({ length: values.length / size }, (_, row) =>
      Array.from({ length: size }, (_, i) => values[row * size + i]!).sort((a, b) => a - b),
    );
    return { shape, values: rows.flat() };
  };
  return compareExactly(output, sorted(ours), sorted(reference));
}

/** Compares lists of token ids. */
export const compareIds = (output: string, ours: readonly number[], reference: readonly number[]): Check =>
  compareExactly(
    output,
    { shape: [ours.length], values: ours },
    { shape: [reference.length], values: reference },
  );

/** Compares texts, and shows both around the first difference. */
export function compareText(output: string, ours: string, reference: string): Check {
  if (ours === reference) return { output, error: 0, tolerance: 0 };
  let at = 0;
  while (ours[at] === reference[at]) at++;
  const around = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 10), at + 20));
  return mismatch(output, 0, `${around(ours)} around character ${at}, expected ${around(reference)}`);
}

function compareShapes(
  output: string,
  ours: readonly number[],
  reference: readonly number[],
  tolerance: number,
): Check | undefined {
  const equal = ours.length === reference.length && ours.every((size, axis) => size === reference[axis]);
  if (equal) return undefined;
  return mismatch(output, tolerance, `shape [${ours.join(", ")}], expected [${reference.join(", ")}]`);
}

/** The multi-index of a flat index: `[1, 0, 3]`. */
function placeOf(index: number, shape: readonly number[]): string {
  const place: number[] = [];
  for (const size of shape.toReversed()) {
    place.unshift(index % size);
    index = Math.floor(index / size);
  }
  return `[${place.join(", ")}]`;
}
