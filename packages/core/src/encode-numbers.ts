import { checks } from "./bound-checks.js";
import { allocateArray, isPacked, type DType, type TypedArray } from "./dtype.js";
import { toHalfBits } from "./half.js";

/**
 * Converts values to the elements of a dtype. Accepts numbers, bools and bigints; refuses other values, and numbers that an
 * integer dtype would truncate or wrap around.
 *
 * @param array - Receives the elements. Default: a new array.
 */
export function encodeNumbers(
  fn: string,
  values: ArrayLike<unknown>,
  dtype: DType,
  array: TypedArray = allocateArray(dtype, values.length, fn),
): TypedArray {
  const isInteger = dtype === "bool" || dtype.includes("int");
  // A typed array whose numbers are all valid is copied at once: float types hold any number, and an integer type holds the numbers
  // of its own array type.
  const allValid = isInteger
    ? dtype !== "bool" && values.constructor === array.constructor
    : !isPacked(dtype);
  if (allValid && ArrayBuffer.isView(values) && typeof values[0] !== "bigint") {
    array.set(values as unknown as ArrayLike<number>);
    return array;
  }
  const half = isPacked(dtype) ? dtype : undefined;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    const isNumeric = typeof value === "number" || typeof value === "boolean" || typeof value === "bigint";
    if (isNumeric) {
      const number = Number(value);
      array[i] = half ? toHalfBits(number, half) : number;
      const isExact =
        !isInteger || (array[i] === number && (dtype !== "bool" || number === 0 || number === 1));
      if (isExact && (typeof value !== "bigint" || BigInt(number) === value)) continue;
    }
    const expected = isInteger ? `numbers that ${dtype} holds as they are` : "numbers";
    const fix = isInteger
      ? "choose another `dtype`, or round and clamp them first."
      : "give numbers, such as [[1, 2], [3, 4]].";
    checks(fn).refuse({
      argument: values.length > 1 ? `values[${i}]` : "value",
      received: value,
      expected,
      fix,
    });
  }
  return array;
}

/** The default dtype of values: that of a typed array, `bool` for bools, `int32` for bigints, else `float32`. */
export function naturalType(values: unknown): DType {
  if (values instanceof Float64Array) return "float64";
  if (values instanceof Int32Array || values instanceof BigInt64Array || values instanceof BigUint64Array)
    return "int32";
  if (values instanceof Uint8Array) return "uint8";
  if (values instanceof Int8Array) return "int8";
  return typeof values === "boolean" ? "bool" : typeof values === "bigint" ? "int32" : "float32";
}
