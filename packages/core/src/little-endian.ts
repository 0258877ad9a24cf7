import { bytesPerElement, viewArray, type DType, type TypedArray } from "./dtype.js";
import type { OwnBytes } from "./own-arrays.js";

/** True if this machine is little-endian, like the files. */
export const isLittleEndian = /* @__PURE__ */ hostOrder();

function hostOrder(): boolean {
  return new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
}

/** A copy with the bytes of each element in reverse order. `width`: bytes per element. */
export function swapBytes(bytes: Uint8Array, width: number): OwnBytes {
  const swapped = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) swapped[i] = bytes[i - (i % width) + width - 1 - (i % width)]!;
  return swapped;
}

/** The elements of an array as little-endian bytes: a view of its memory on a little-endian machine, else a copy. */
export function littleEndianBytes(array: TypedArray): Uint8Array {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  return isLittleEndian ? bytes : swapBytes(bytes, array.BYTES_PER_ELEMENT);
}

/** The elements in little-endian bytes: a view if the machine is little-endian and the bytes are aligned, else a copy. */
export function fromLittleEndian(dtype: DType, bytes: Uint8Array): TypedArray {
  const width = bytesPerElement(dtype);
  const ordered = !isLittleEndian
    ? swapBytes(bytes, width)
    : bytes.byteOffset % width === 0
      ? bytes
      : new Uint8Array(bytes);
  return viewArray(dtype, ordered.buffer as ArrayBuffer, ordered.byteOffset, bytes.length / width);
}
