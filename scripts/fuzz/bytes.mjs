// Bytes of integers, floats, texts and file formats as arrays, from which fuzzing targets build files.

export const utf8 = (text) => new TextEncoder().encode(text);
export const json = (value) => utf8(JSON.stringify(value));
export const textOf = (bytes) => new TextDecoder().decode(bytes);
export const base64 = (bytes) => btoa(String.fromCharCode(...bytes));

const number = (array) => [...new Uint8Array(array.buffer)];
export const i32 = (value) => number(Int32Array.of(value));
export const u32 = (value) => number(Uint32Array.of(value));
export const u64 = (value) => number(BigUint64Array.of(BigInt.asUintN(64, BigInt(value))));
export const f32 = (value) => number(Float32Array.of(value));
export const f64 = (value) => number(Float64Array.of(value));

const ggufText = (text) => [...u64(utf8(text).length), ...utf8(text)];
/** Writers of a GGUF metadata value, by type id: 4 uint32, 5 int32, 6 float32, 8 string, 9 array. */
const ggufValues = { 4: u32, 5: i32, 6: f32, 7: (value) => [value ? 1 : 0], 8: ggufText, 10: u64, 12: f64 };
export const ggufValue = (type, value) => {
  if (type !== 9) return (ggufValues[type] ?? u32)(value);
  const [items, values] = value;
  return [...u32(items), ...u64(values.length), ...values.flatMap((each) => ggufValue(items, each))];
};

/**
 * A GGUF file.
 *
 * @param entries - Metadata as `[key, type, value]`; the value of an array is `[element type, elements]`.
 * @param tensors - `{ name, dims, type, offset }`.
 * @param data - Bytes after the header.
 */
export function ggufFile(entries, tensors, data, { version = 3, counts = [0, 0] } = {}) {
  const header = [
    ...utf8("GGUF"),
    ...u32(version),
    ...u64(tensors.length + counts[0]),
    ...u64(entries.length + counts[1]),
    ...entries.flatMap(([key, type, value]) => [...ggufText(key), ...u32(type), ...ggufValue(type, value)]),
    ...tensors.flatMap(({ name, dims, type, offset }) => [
      ...ggufText(name),
      ...u32(dims.length),
      ...dims.flatMap(u64),
      ...u32(type),
      ...u64(offset),
    ]),
  ];
  return Uint8Array.from([...header, ...Array((32 - (header.length % 32)) % 32).fill(0), ...data]);
}

/** A protocol buffer's varint: seven bits per byte, least significant first. */
export function varint(value) {
  const out = [];
  let left = BigInt.asUintN(64, BigInt(value));
  for (; left > 127n; left >>= 7n) out.push(Number(left & 127n) | 128);
  return [...out, Number(left)];
}

/** A protocol buffer's field: a varint, a float as `{ float }`, or length-delimited bytes or text. */
export function protobufField(id, value) {
  if (typeof value === "number" || typeof value === "bigint") return [...varint(id << 3), ...varint(value)];
  if (value.float !== undefined) return [...varint((id << 3) | 5), ...f32(value.float)];
  const bytes = typeof value === "string" ? utf8(value) : value;
  return [...varint((id << 3) | 2), ...varint(bytes.length), ...bytes];
}

/** A safetensors file: its header as text, and data of this many bytes. */
export function safetensorsFile(header, dataBytes, claimed = utf8(header).length) {
  return Uint8Array.from([...u64(claimed), ...utf8(header), ...Array(dataBytes).fill(0)]);
}
