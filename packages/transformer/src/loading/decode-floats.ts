/** The ways in which files store numbers, with the bytes of one. */
export const floatFormats = { float64: 8, float32: 4, float16: 2, bfloat16: 2 } as const;

export type FloatFormat = keyof typeof floatFormats;

/** Little-endian numbers as float32. The bytes begin their buffer, and may belong to the result. */
export function decodeFloats(bytes: Uint8Array<ArrayBuffer>, format: FloatFormat): Float32Array {
  if (format === "float32" && littleEndian() && bytes.byteOffset === 0) {
    return new Float32Array(bytes.buffer, 0, bytes.length / 4);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const numbers = new Float32Array(bytes.length / floatFormats[format]);
  if (format === "float64")
    for (let i = 0; i < numbers.length; i++) numbers[i] = view.getFloat64(8 * i, true);
  else if (format === "float32")
    for (let i = 0; i < numbers.length; i++) numbers[i] = view.getFloat32(4 * i, true);
  else if (format === "float16")
    for (let i = 0; i < numbers.length; i++) numbers[i] = halfFloat(view.getUint16(2 * i, true));
  else {
    // A bfloat16 is the upper half of a float32.
    const bits = new Uint32Array(numbers.buffer);
    for (let i = 0; i < bits.length; i++) bits[i] = view.getUint16(2 * i, true) << 16;
  }
  return numbers;
}

/** The number that a float16's 16 bits stand for. */
export function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function littleEndian(): boolean {
  return new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
}
