import { allocateArray, isPacked, type DType, type TypedArray } from "./dtype.js";
import { refuse, refuseShape } from "./refuse.js";
import { sameShape, type Shape } from "./shape.js";

/** Checks that many operations share. */

/** Refuses the 16-bit types, which hold bit patterns, where numbers are computed with. */
export function checkNumbers(fn: string, dtype: DType): void {
  if (!isPacked(dtype)) return;
  refuse(
    fn,
    "dtype",
    dtype,
    "numbers to compute with",
    'this type is for storage: `cast(x, "float32")` first.',
  );
}

/** Refuses bools where numbers are added or multiplied. */
export function checkCounts(fn: string, argument: string, dtype: DType): void {
  if (dtype !== "bool") return;
  const fix = '`cast(x, "int32")` to count with them, or combine them with `logicalAnd` and `logicalOr`.';
  refuse(fn, argument, "bool", "numbers", fix);
}

/** Refuses two devices. The plain devices of two copies of a package read each other's arrays, and are one here. */
export function checkSameDevice(
  fn: string,
  device: { readonly name: string },
  like: { readonly name: string },
): void {
  if (device === like || (device.name === "js" && like.name === "js")) return;
  const both = `${like.name} beside ${device.name}`;
  refuse(fn, "device", both, "all inputs on one device", "move one side with `tensor.to(device)`.");
}

/** Refuses what is no tensor, which the caller has found out. */
export function refuseOther(fn: string, argument: string, value: unknown): never {
  refuse(fn, argument, value, "a tensor", "make one with `tensor(values, { shape })`.");
}

/** Refuses another type than that of the other side. */
export function checkSameType(
  fn: string,
  argument: string,
  dtype: DType,
  like: DType,
  other = "the other side",
): void {
  if (dtype === like) return;
  refuse(fn, argument, dtype, `${like} like ${other}`, "use `cast(x, dtype)` on one side.");
}

/** Refuses a tensor of another type or shape than what it stands beside asks for. */
export function checkFits(
  fn: string,
  argument: string,
  { dtype, shape }: { readonly dtype: DType; readonly shape: Shape },
  wanted: { readonly dtype: DType; readonly shape: Shape },
  because: string,
  fix: string,
): void {
  if (dtype === wanted.dtype && sameShape(shape, wanted.shape)) return;
  const expected = `${wanted.dtype} [${wanted.shape.join(", ")}], ${because}`;
  refuseShape(fn, argument, `${dtype} [${shape.join(", ")}]`, expected, fix);
}

/** An array of one number, which the type must hold as it is. */
export function numberArray(fn: string, argument: string, value: unknown, dtype: DType): TypedArray {
  const array = allocateArray(dtype, 1);
  array[0] = value as number;
  // The 16-bit types hold no numbers.
  if (
    typeof value === "number" &&
    !isPacked(dtype) &&
    (array[0] === value || !(dtype === "bool" || dtype.includes("int")))
  )
    return array;
  refuse(
    fn,
    argument,
    value,
    `a tensor, or a number that ${dtype} can hold`,
    "make a tensor, or change the type with `cast`.",
  );
}

/** Refuses what is none of a few names. */
export function checkOneOf(
  fn: string,
  argument: string,
  value: unknown,
  names: readonly string[],
  fix: string,
): void {
  if (names.includes(value as string)) return;
  const quoted = names.map((name) => JSON.stringify(name));
  refuse(fn, argument, value, `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`, fix);
}

/** Refuses axes without a number on them, for reductions that nothing is the result of. */
export function checkNotEmpty(fn: string, shape: Shape, axes: readonly number[]): void {
  if (!axes.some((axis) => shape[axis] === 0)) return;
  refuseShape(
    fn,
    "x",
    shape,
    "one number or more along the axes that are reduced",
    "leave the call out where there is nothing to compare.",
  );
}

/** Refuses what is no list of whole numbers: numbers one after the other, or a number by itself. */
export function checkWholeNumbers(fn: string, argument: string, value: unknown): void {
  if (Array.isArray(value) && value.every(Number.isSafeInteger)) return;
  refuse(fn, argument, value, "a list of whole numbers", "write them in brackets, such as [2, 3].");
}

/** Refuses to write into a view that repeats its numbers: one place would stand for several. */
export function checkNoBroadcast(
  fn: string,
  argument: string,
  { shape, strides }: { readonly shape: Shape; readonly strides: Shape },
): void {
  if (shape.includes(0) || !shape.some((length, axis) => length > 1 && strides[axis] === 0)) return;
  const fix = "copy it first: `contiguous(x)`.";
  refuse(fn, argument, "a view that repeats its numbers", "a tensor with a place for each number", fix);
}

/** Refuses what is no device: its name, or one that is still in its promise. */
export function checkDevice(fn: string, device: unknown): void {
  if (typeof (device as { fromHost?: unknown } | null | undefined)?.fromHost === "function") return;
  const fix = "make one: `await wasm()` of @qkv/wasm, `await gpu()` of @qkv/gpu, or `js()`.";
  refuse(fn, "device", device, "a device", fix);
}
