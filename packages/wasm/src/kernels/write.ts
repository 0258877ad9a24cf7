import { bytesPerElement, type View } from "@qkv/tensor";
import { addressOf } from "../call.js";
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
    const [source, destination] = [addressOf(rows!), addressOf(buffer!)];
    if (source === undefined || destination === undefined || rows!.shape.length !== 4) return false;
    const [B, H, T, D] = rows!.shape as [number, number, number, number];
    const [batch, head, row, column] = rows!.strides as [number, number, number, number];
    const [toBatch, toHead, toRow, toColumn] = buffer!.strides as [number, number, number, number];
    if (column !== 1 || toColumn !== 1) return false;
    const size = bytesPerElement(rows!.dtype);
    const to = destination + size * start * buffer!.strides[axis]!;
    const { bytes } = memory;
    for (let b = 0; b < B; b++) {
      for (let h = 0; h < H; h++) {
        for (let t = 0; t < T; t++) {
          const at = source + size * (b * batch + h * head + t * row);
          bytes.copyWithin(to + size * (b * toBatch + h * toHead + t * toRow), at, at + size * D);
        }
      }
    }
    return true;
  };
}
