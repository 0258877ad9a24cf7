import {
  allocateArray,
  checks,
  type DType,
  FormatError,
  fromLittleEndian,
  type SafetensorsDType,
  type SafetensorsEntry,
  type TypedArray,
} from "@qkv/core";

/** The safetensors type of each dtype. */
export const storedTypes: Readonly<Record<DType, SafetensorsDType>> = {
  float64: "F64",
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  int32: "I32",
  int8: "I8",
  uint8: "U8",
  bool: "BOOL",
};

/** Integer types without a dtype of ours, which are read as int32: reader, and bytes per number. */
const wholeNumbers: Partial<
  Record<SafetensorsDType, [width: number, read: (view: DataView, at: number) => number]>
> = {
  I16: [2, (view, at) => view.getInt16(at, true)],
  U16: [2, (view, at) => view.getUint16(at, true)],
  U32: [4, (view, at) => view.getUint32(at, true)],
  I64: [8, (view, at) => view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true)],
  U64: [8, (view, at) => view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true)],
};

/**
 * Decodes the elements of a stored tensor. The result may use the memory of the given bytes.
 *
 * @param file - Name of the file, for errors.
 */
export function decodeElements(
  bytes: Uint8Array,
  stored: SafetensorsEntry["dtype"],
  name: string,
  file: { readonly name: string; readonly fn: string },
): { dtype: DType; array: TypedArray } {
  const ours = (Object.keys(storedTypes) as DType[]).find((dtype) => storedTypes[dtype] === stored);
  if (ours) return { dtype: ours, array: ours === "bool" ? truths(bytes) : fromLittleEndian(ours, bytes) };
  const whole = wholeNumbers[stored];
  const check = checks(file.fn, { source: file.name }, FormatError);
  if (!whole) {
    return check.refuse({
      argument: name,
      received: stored,
      expected: "a type that tensors have",
      fix: "convert the file to BF16 or F32.",
    });
  }
  const [width, read] = whole;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const array = allocateArray("int32", bytes.length / width);
  for (let i = 0; i < array.length; i++) {
    const value = read(view, i * width);
    array[i] = value;
    if (array[i] === value) continue;
    check.refuse({
      argument: `${name}[${i}]`,
      received: value,
      expected: `an integer that int32 holds, as ${stored} is read as int32`,
      fix: "store it as F64, or as two I32.",
    });
  }
  return { dtype: "int32", array };
}

/** Converts bytes to bools: any byte other than 0 is true. */
function truths(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => Number(byte !== 0));
}
