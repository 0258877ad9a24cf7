import { bytesPerElement, type View } from "@qkv/tensor";
import { deviceAddress } from "../call.js";
import type { Engine } from "../engine.js";

/**
 * Copies rows [B, H, T, D] into a buffer in the device's memory, from index `start` of an axis on (KV cache append).
 */
export function writeKernel({ memory }: Engine) {
  return (
    [rows]: readonly View[],
    [buffer]: readonly View[],
    { axis, start }: { axis: number; start: number },
  ): boolean => {
    const source = deviceAddress(rows!);
    const destination = deviceAddress(buffer!);
    const { shape, strides: from, dtype } = rows!;
    const { strides: to } = buffer!;
    if (source === undefined || destination === undefined || shape.length !== 4) return false;
    if (from[3] !== 1 || to[3] !== 1) return false;
    const size = bytesPerElement(dtype);
    const first = destination + size * start * to[axis]!;
    const length = size * shape[3]!;
    const { bytes } = memory;
    for (let b = 0; b < shape[0]!; b++) {
      for (let h = 0; h < shape[1]!; h++) {
        for (let t = 0; t < shape[2]!; t++) {
          const at = source + size * (b * from[0]! + h * from[1]! + t * from[2]!);
          bytes.copyWithin(first + size * (b * to[0]! + h * to[1]! + t * to[2]!), at, at + length);
        }
      }
    }
    return true;
  };
}
