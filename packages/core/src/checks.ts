import { allocateArray, isPacked, type DType, type TypedArray } from "./dtype.js";
import { quotedNames } from "./known-names.js";
import { refuse, refuseShape } from "./refuse.js";
import { sameShape, type Shape } from "./shape.js";

/** Refuses float16 and bfloat16 as operands of arithmetic: their arrays hold bit patterns, for storage. */
export function checkComputeDtype(fn: string, dtype: DType): void {
  if (!isPacked(dtype)) return;
  refuse(
    fn,
    "dtype",
    dtype,
    "numbers to compute with",
    'this type is for storage: `cast(x, "float32")` first.',
  );
}

/** Refuses bool tensors as operands of arithmetic. Every other dtype passes. */
export function checkNotBool(fn: string, argument: string, dtype: DType): void {
  if (dtype !== "bool") return;
  const fix = '`cast(x, "int32")` to count with them, or combine them with `logicalAnd` and `logicalOr`.';
  refuse(fn, argument, "bool", "numbers", fix);
}

/**
 * Refuses inputs on different devices. All `js` devices count as one, since copies of the package can read each other's arrays.
 */
export function checkSameDevice(
  fn: string,
  device: { readonly name: string },
  like: { readonly name: string },
): void {
  if (device === like || (device.name === "js" && like.name === "js")) return;
  const both = `${like.name} beside ${device.name}`;
  refuse(fn, "device", both, "all inputs on one device", "move one side with `tensor.to(device)`.");
}

/** Throws the error for a value that is not a tensor. */
export function refuseNonTensor(fn: string, argument: string, value: unknown): never {
  refuse(fn, argument, value, "a tensor", "make one with `tensor(values, { shape })`.");
}

/** Refuses a dtype that differs from that of the other operand, `like`. */
export function checkSameType(
  fn: string,
  argument: string,
  dtype: DType,
  like: DType,
  other = "the other operand",
): void {
  if (dtype === like) return;
  refuse(fn, argument, dtype, `${like} like ${other}`, "use `cast(x, dtype)` on one operand.");
}

/** Refuses a tensor whose dtype or shape differs from the expected one. `because`: the reason, for the message. */
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

/** A scalar as an array of length 1. Refuses a number that a bool or integer dtype cannot hold exactly. */
export function numberArray(fn: string, argument: string, value: unknown, dtype: DType): TypedArray {
  const array = allocateArray(dtype, 1);
  array[0] = value as number;
  const isInteger = dtype === "bool" || dtype.includes("int");
  // The 16-bit types are bit patterns, and cannot be operands.
  if (typeof value === "number" && !isPacked(dtype) && (array[0] === value || !isInteger)) return array;
  refuse(
    fn,
    argument,
    value,
    `a tensor, or a number that ${dtype} can hold`,
    "make a tensor, or change the type with `cast`.",
  );
}

/** Refuses a value that is not among the names. */
export function checkOneOf(
  fn: string,
  argument: string,
  value: unknown,
  names: readonly string[],
  fix: string,
): void {
  if (names.includes(value as string)) return;
  refuse(fn, argument, value, quotedNames(fn, value, names), fix);
}

/** Refuses to reduce axes of length 0, for reductions without an identity element, such as max. */
export function checkNotEmpty(fn: string, shape: Shape, axes: readonly number[]): void {
  if (!axes.some((axis) => shape[axis] === 0)) return;
  refuseShape(
    fn,
    "x",
    shape,
    "at least one element along the reduced axes",
    "leave the call out where there is nothing to compare.",
  );
}

/** Refuses values that are not arrays of integers, such as a single number. */
export function checkIntegers(fn: string, argument: string, value: unknown): void {
  if (Array.isArray(value) && value.every(Number.isSafeInteger)) return;
  refuse(fn, argument, value, "a list of integers", "write them in brackets, such as [2, 3].");
}

/** Refuses a broadcast view (stride 0) as the target of a write, since several elements share one memory location. */
export function checkNoBroadcast(
  fn: string,
  argument: string,
  { shape, strides }: { readonly shape: Shape; readonly strides: Shape },
): void {
  if (!isBroadcast(shape, strides)) return;
  const fix = "copy it first: `contiguous(x)`.";
  refuse(
    fn,
    argument,
    "a broadcast view (stride 0)",
    "a tensor with memory of its own for each element",
    fix,
  );
}

/** True if several elements of the view share one memory location. */
function isBroadcast(shape: Shape, strides: Shape): boolean {
  let repeats = false;
  for (let axis = 0; axis < shape.length; axis++) {
    if (shape[axis] === 0) return false;
    repeats ||= shape[axis]! > 1 && strides[axis] === 0;
  }
  return repeats;
}

/** Refuses values that are not devices, such as the name of a device or a promise that was not awaited. */
export function checkDevice(fn: string, device: unknown): void {
  if (typeof (device as { fromHost?: unknown } | null | undefined)?.fromHost === "function") return;
  const fix = "make one: `await wasm()` of @qkv/wasm, `await gpu()` of @qkv/gpu, or `js()`.";
  refuse(fn, "device", device, "a device", fix);
}

/** Refuses storage that was freed at the end of its scope. */
export function checkAlive(storage: {
  readonly dtype: DType;
  readonly length: number;
  readonly ended?: boolean;
}): void {
  if (!storage.ended) return;
  refuse(
    "device.scope",
    "tensor",
    `a ${storage.dtype} tensor of ${storage.length} numbers that was made inside a scope`,
    "a tensor that is still alive: its scope has ended and let it go",
    "return the tensor from the scope, or read its numbers inside of it.",
  );
}

/** Refuses values that are neither an AbortSignal nor undefined, such as an AbortController. */
export function checkSignal(fn: string, signal: unknown): void {
  if (signal === undefined || isSignal(signal)) return;
  const isController = isSignal((signal as { signal?: unknown } | null)?.signal);
  const fix = isController
    ? "write `signal: controller.signal`."
    : "give `controller.signal` of an AbortController, or `AbortSignal.timeout(ms)`.";
  refuse(fn, "signal", signal, "an AbortSignal", fix);
}

const isSignal = (value: unknown): boolean =>
  typeof (value as Partial<AbortSignal> | null | undefined)?.throwIfAborted === "function";
