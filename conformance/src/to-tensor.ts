import { cast, tensor, type Tensor, type TypedArray } from "@qkv/tensor";
import type { Target } from "./case.js";
import { compareExactly, compareNumbers, mismatch, type Check } from "./check.js";
import type { ReferenceTensor } from "./reference-tensor.js";

/** Our dtype for the elements of a reference. */
const dtypes = {
  float32: "float32",
  float64: "float64",
  int32: "int32",
  int64: "int32",
  bool: "bool",
  uint8: "uint8",
  float16: "float16",
} as const satisfies Record<ReferenceTensor["dtype"], Tensor["dtype"]>;

/**
 * Puts a reference tensor on a device. int64 becomes int32, which is sufficient for positions and lengths.
 *
 * @throws {RangeError} If an int64 does not fit.
 */
export function toTensor(reference: ReferenceTensor, { device }: Target): Tensor {
  return tensor(numbersOf(reference), { shape: reference.shape, dtype: dtypes[reference.dtype], device });
}

/**
 * Compares a result with its reference: dtype, shape, then equal or within `tolerance`.
 *
 * @param compareWhole - Comparison of integers and booleans. Default: all elements equal.
 */
export async function compareTensor(
  ours: Tensor | undefined,
  reference: ReferenceTensor,
  tolerance: number,
  compareWhole = compareExactly,
): Promise<Check> {
  const { name, dtype, shape } = reference;
  if (!ours) return mismatch(name, tolerance, "was not returned");
  if (ours.dtype !== dtypes[dtype]) {
    return mismatch(name, tolerance, `dtype ${ours.dtype}, expected ${dtypes[dtype]}`);
  }
  const result = { shape: ours.shape, values: unpacked(await ours.read()) };
  const expected = { shape, values: unpacked(numbersOf(reference)) };
  return dtype === "float32" || dtype === "float64" || dtype === "float16"
    ? compareNumbers(name, result, expected, tolerance)
    : compareWhole(name, result, expected);
}

/** The values of float16 bit patterns. */
function unpacked(values: TypedArray): TypedArray {
  return values instanceof Uint16Array ? cast(tensor(values, { dtype: "float16" }), "float32").data : values;
}

function numbersOf({ name, values }: ReferenceTensor): TypedArray {
  if (!(values instanceof BigInt64Array)) return values;
  const numbers = Int32Array.from(values, Number);
  const at = values.findIndex((value, i) => value !== BigInt(numbers[i]!));
  if (at >= 0) throw new RangeError(`\`${name}\` holds ${values[at]}, which int32 does not`);
  return numbers;
}
