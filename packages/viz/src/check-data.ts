import { ShapeError, sizeOf, type Checks, type Named } from "@qkv/core";

/** Numbers and their shape, row by row. A tensor of `@qkv/tensor` fits; so does any object with these two fields. */
export type PictureData = {
  /** The numbers in row-major order. */
  readonly data: ArrayLike<number>;
  /** The length of each axis, leftmost first. */
  readonly shape: readonly number[];
};

/** Ranks of tensors that a picture accepts, and the texts of the error. */
export type Accepts = { argument: string; ranks: readonly number[]; expected: string; fix: string };

/**
 * Checks the numbers that a picture is given.
 *
 * @throws {ArgumentError} If it is not `{ data, shape }`, or a number is not finite.
 * @throws {ShapeError} If the rank is not one of `ranks`, an axis is empty, or the count of numbers is different.
 */
export function checkData(
  check: Checks,
  input: PictureData,
  { argument, ranks, expected, fix }: Accepts,
): void {
  checkFields(check, { [argument]: input }, fix);
  const { data, shape } = input;
  const whole = shape.every((size) => Number.isSafeInteger(size) && size >= 1);
  if (!ranks.includes(shape.length) || !whole) {
    check.refuse({ argument, received: shape, expected, fix }, ShapeError);
  }
  const size = sizeOf(shape);
  if (data.length !== size) {
    check.refuse(
      {
        argument: `${argument}.data`,
        received: `${data.length} numbers`,
        expected: `${size}, as the shape [${shape.join(", ")}] says`,
        fix: "give data and shape of the same thing.",
      },
      ShapeError,
    );
  }
  const origin = "look at where this number was made; a picture cannot place it.";
  for (let i = 0; i < size; i++)
    if (!Number.isFinite(data[i])) check.finite({ [`${argument}.data[${i}]`]: data[i] }, { fix: origin });
}

/** Refuses values that are not `{ data, shape }`. */
export function checkFields(check: Checks, values: Named, fix: string): void {
  const holds = (value: unknown) => {
    const { data, shape } = (value ?? {}) as Partial<PictureData>;
    return typeof data === "object" && data !== null && Array.isArray(shape);
  };
  check.each(values, holds, "an object { data, shape }", fix);
}

/** The length of an axis; undefined if the input has no such axis. */
export const axisLength = (input: PictureData, axis: number): number | undefined =>
  (input as Partial<PictureData> | undefined | null)?.shape?.[axis];

/**
 * Checks that there is one label for each row, column, bar or line.
 *
 * @throws {ArgumentError} If a label is not a string, or there are too many or too few.
 */
export function checkLabels(check: Checks, labels: Named, count: number): void {
  for (const argument in labels) {
    const list = labels[argument];
    if (list === undefined) continue;
    checkList(check, argument, list, "a list of texts");
    if (list.length !== count) {
      check.refuse({
        argument,
        received: `${list.length} labels`,
        expected: `${count}`,
        fix: "give one label for each, or leave them out.",
      });
    }
    list.forEach((label, i) => checkTexts(check, { [`${argument}[${i}]`]: label ?? null }));
  }
}

/** Refuses values that are not arrays. */
export function checkList(
  check: Checks,
  argument: string,
  list: unknown,
  expected: string,
): asserts list is unknown[] {
  check.each({ [argument]: list }, Array.isArray, expected);
}

/** Refuses options that are given but are not strings. */
export function checkTexts(check: Checks, texts: Named): void {
  check.each(texts, (text) => text === undefined || typeof text === "string", "text");
}

/** Refuses options that are given but are not numbers above 0. */
export function checkSizes(check: Checks, sizes: Named): void {
  const holds = (size: unknown) => size === undefined || (Number.isFinite(size) && (size as number) > 0);
  check.each(sizes, holds, "a number above 0", "leave it out to have it chosen.");
}

/** Refuses a `min` that is given but is not below 0. */
export function checkLeast(check: Checks, min: unknown): void {
  const holds = (min: unknown) => min === undefined || (Number.isFinite(min) && (min as number) < 0);
  check.each({ min }, holds, "a number below 0", "leave it out if no weight is below 0.");
}

/** Refuses values that are not objects. */
export function checkObject(check: Checks, values: Named, expected: string): void {
  check.each(values, (value) => typeof value === "object" && value !== null, expected);
}
