/** Packs signs, 8 per byte, the first in the highest bit: 1 for positive values. `"binary"` subtracts 128, for signed bytes. */
export function packSigns(values: Float32Array, precision: "binary" | "ubinary"): Int8Array | Uint8Array {
  const bytes = new Uint8Array(values.length / 8);
  values.forEach((value, i) => {
    if (value > 0) bytes[i >> 3]! |= 128 >> (i & 7);
  });
  return precision === "ubinary" ? bytes : Int8Array.from(bytes, (byte) => byte - 128);
}
