import { tensor, type Tensor, type TypedArray } from "@qkv/tensor";
import { Skip, type Target } from "./case.js";
import { compareExactly, compareNumbers, mismatch, type Check } from "./check.js";
import type { ReferenceTensor } from "./reference-tensor.js";

/** The dtype of ours that holds a reference's numbers; none where the tensors cannot hold them yet. */
const dtypes = {
  float32: "float32",
  float64: "float64",
  int32: "int32",
  int64: "int32",
  bool: "bool",
  float16: undefined,
} as const satisfies Record<ReferenceTensor["dtype"], Tensor["dtype"] | undefined>;

/**
 * Puts a reference tensor on a device. int64 becomes int32, which holds every position and length there is.
 *
 * @throws {Skip} If the tensors have no such dtype yet.
 * @throws {RangeError} If an int64 does not fit.
 */
export function toTensor(reference: ReferenceTensor, { device }: Target): Tensor {
  return tensor(numbersOf(reference), { shape: reference.shape, dtype: dtypes[reference.dtype]!, device });
}

/** Compares a result with its reference: dtype, shape, then equal or within `tolerance`. */
export async function compareTensor(
  ours: Tensor | undefined,
  reference: ReferenceTensor,
  tolerance: number,
): Promise<Check> {
  const { name, dtype, shape } = reference;
  if (!ours) return mismatch(name, tolerance, "was not returned");
  if (ours.dtype !== dtypes[dtype]) {
    return mismatch(name, tolerance, `dtype ${ours.dtype}, expected ${dtypes[dtype]}`);
  }
  const result = { shape: ours.shape, values: await ours.read() };
  const expected = { shape, values: numbersOf(reference) };
  return dtype === "float32" || dtype === "float64"
    ? compareNumbers(name, result, expected, tolerance)
    : compareExactly(name, result, expected);
}

function numbersOf({ name, dtype, values }: ReferenceTensor): TypedArray {
  if (values instanceof Uint16Array) throw new Skip(`${dtype} arrives with the tensor work`);
  if (!(values instanceof BigInt64Array)) return values;
  const numbers = Int32Array.from(values, Number);
  const at = values.findIndex((value, i) => value !== BigInt(numbers[i]!));
  if (at >= 0) throw new RangeError(`\`${name}\` holds ${values[at]}, which int32 does not`);
  return numbers;
}
