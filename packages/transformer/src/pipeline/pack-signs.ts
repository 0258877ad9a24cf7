/** Packs signs of numbers, 8 per byte, the first in the highest bit. */
export function packSigns(numbers: Float32Array, precision: "binary" | "ubinary"): Int8Array | Uint8Array {
  const bytes = new Uint8Array(numbers.length / 8);
  numbers.forEach((number, i) => {
    if (number > 0) bytes[i >> 3]! |= 128 >> (i & 7);
  });
  return precision === "ubinary" ? bytes : Int8Array.from(bytes, (byte) => byte - 128);
}
