import { checks } from "./bound-checks.js";
import { allocateArray, isPacked, type DType, type TypedArray } from "./dtype.js";
import { toHalfBits } from "./half.js";

/**
 * Numbers as a type stores them. Refuses what is none, and what an integer type would cut or wrap around.
 *
 * @param array - Receives them. Default: a new array.
 */
export function encodeNumbers(
  fn: string,
  values: ArrayLike<unknown>,
  dtype: DType,
  array: TypedArray = allocateArray(dtype, values.length, fn),
): TypedArray {
  const whole = dtype === "bool" || dtype.includes("int");
  // Numbers that need no look at each: floats take any, and a type its own.
  const alike = whole ? dtype !== "bool" && values.constructor === array.constructor : !isPacked(dtype);
  if (alike && ArrayBuffer.isView(values) && typeof values[0] !== "bigint") {
    array.set(values as unknown as ArrayLike<number>);
    return array;
  }
  const half = isPacked(dtype) ? dtype : undefined;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    const number =
      typeof value === "number"
        ? value
        : typeof value === "boolean" || typeof value === "bigint"
          ? Number(value)
          : undefined;
    if (number !== undefined) array[i] = half ? toHalfBits(number, half) : number;
    const held = !whole || (array[i] === number && (dtype !== "bool" || number === 0 || number === 1));
    if (number !== undefined && held && (typeof value !== "bigint" || BigInt(number) === value)) continue;
    const expected = whole ? `numbers that ${dtype} holds as they are` : "numbers";
    const fix = whole
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

/** The element type that values have by themselves: of a typed array, of bools and bigints, else float32. */
export function naturalType(values: unknown): DType {
  if (values instanceof Float64Array) return "float64";
  if (values instanceof Int32Array || values instanceof BigInt64Array || values instanceof BigUint64Array)
    return "int32";
  if (values instanceof Uint8Array) return "uint8";
  if (values instanceof Int8Array) return "int8";
  return typeof values === "boolean" ? "bool" : typeof values === "bigint" ? "int32" : "float32";
}
