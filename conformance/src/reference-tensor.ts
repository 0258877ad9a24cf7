import { FormatError } from "@qkv/core";

/** A tensor of the data: `{name, dtype, shape, data}` with decoded base64. */
export type ReferenceTensor = {
  name: string;
  dtype: ReferenceDtype;
  shape: number[];
  /** Row-major. int64 values are bigints; float16 values are their 16-bit patterns. */
  values: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array | Uint16Array;
};

export type ReferenceDtype = keyof typeof arrays;

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
  uint8: Uint8Array,
  float16: Uint16Array,
};

/**
 * Reads one tensor of the data.
 *
 * @param json - `{name, dtype, shape, data}`, `data` being base64 of little-endian bytes, row-major.
 * @throws {FormatError} If a field is missing or wrong, or the number of bytes does not fit shape and dtype.
 */
export function readTensor(json: unknown): ReferenceTensor {
  if (typeof json !== "object" || json === null)
    fail("tensor", json, "an object with name, dtype, shape, data");
  const { name, dtype, shape, data } = json as Record<string, unknown>;
  if (typeof name !== "string") fail("name", name, "a string");
  if (typeof dtype !== "string" || !Object.hasOwn(arrays, dtype)) {
    fail(`${name}.dtype`, dtype, `one of ${Object.keys(arrays).join(", ")}`);
  }
  if (!Array.isArray(shape) || !shape.every((size) => Number.isInteger(size) && size >= 0)) {
    fail(`${name}.shape`, shape, "a list of integers, 0 or more");
  }
  if (typeof data !== "string") fail(`${name}.data`, data, "base64");
  const TypedArray = arrays[dtype as ReferenceDtype];
  const sizes = shape as number[];
  const bytes = fromBase64(data) ?? fail(`${name}.data`, data, "base64");
  const expected = sizes.reduce((product, size) => product * size, 1) * TypedArray.BYTES_PER_ELEMENT;
  if (bytes.length !== expected) {
    fail(`${name}.data`, bytes, `${expected} bytes for ${dtype} [${sizes.join(", ")}]`);
  }
  return { name, dtype: dtype as ReferenceDtype, shape: sizes, values: new TypedArray(bytes.buffer) };
}

function fail(argument: string, received: unknown, expected: string): never {
  throw new FormatError({
    fn: "readTensor",
    argument,
    received,
    expected,
    fix: "look at the file: a tensor is {name, dtype, shape, data}, as the data's README describes.",
  });
}

/** Bytes from base64; undefined if the text is invalid. Works in pages and in Node. */
function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return undefined;
  }
}
