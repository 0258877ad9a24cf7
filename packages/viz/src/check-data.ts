import { ArgumentError, ShapeError } from "@qkv/core";

/** Numbers and their shape, row by row. A tensor of `@qkv/tensor` fits; so does any object with these two fields. */
export type PictureData = {
  /** The numbers in row-major order. */
  readonly data: ArrayLike<number>;
  /** The length of each axis, leftmost first. */
  readonly shape: readonly number[];
};

/** What a picture can draw: the ranks it takes, in words and as numbers. */
export type Accepts = {
  fn: string;
  argument: string;
  ranks: readonly number[];
  expected: string;
  fix: string;
};

/**
 * Checks what comes through the public door of a picture.
 *
 * @throws {ArgumentError} If it is not `{ data, shape }`, or a number is not finite.
 * @throws {ShapeError} If the rank is not one of `ranks`, an axis is empty, or the count of numbers is another.
 */
export function checkData(input: PictureData, { fn, argument, ranks, expected, fix }: Accepts): void {
  const { data, shape } = (input ?? {}) as Partial<PictureData>;
  if (data === undefined || !Array.isArray(shape)) {
    throw new ArgumentError({ fn, argument, received: input, expected: "an object { data, shape }", fix });
  }
  const whole = shape.every((size) => Number.isSafeInteger(size) && size >= 1);
  if (!ranks.includes(shape.length) || !whole) {
    throw new ShapeError({ fn, argument, received: shape, expected, fix });
  }
  const size = shape.reduce((product, axis) => product * axis, 1);
  if (data.length !== size) {
    throw new ShapeError({
      fn,
      argument: `${argument}.data`,
      received: `${data.length} numbers`,
      expected: `${size}, as the shape [${shape.join(", ")}] says`,
      fix: "give data and shape of the same thing.",
    });
  }
  for (let i = 0; i < size; i++) {
    if (!Number.isFinite(data[i])) {
      throw new ArgumentError({
        fn,
        argument: `${argument}.data[${i}]`,
        received: data[i],
        expected: "a finite number",
        fix: "look at where this number was made; a picture cannot place it.",
      });
    }
  }
}

/**
 * Checks that there is one label for each row, column, bar or line.
 *
 * @throws {ArgumentError} If there are more or fewer.
 */
export function checkLabels(
  labels: readonly string[] | undefined,
  count: number,
  { fn, argument }: { fn: string; argument: string },
): void {
  if (labels === undefined || labels.length === count) return;
  throw new ArgumentError({
    fn,
    argument,
    received: `${labels.length} labels`,
    expected: `${count}`,
    fix: "give one label for each, or leave them out.",
  });
}
