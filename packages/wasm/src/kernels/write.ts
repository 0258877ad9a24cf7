import { bytesPerElement, type View } from "@qkv/tensor";
import { addressOf } from "../call.js";
import type { Engine } from "../engine.js";

/** Rows [B, H, T, D] copied into a buffer of the memory, from a place along an axis on: how a cache takes in tokens. */
export function writeKernel({ memory }: Engine) {
  return (
    [rows]: readonly View[],
    [buffer]: readonly View[],
    { axis, start }: { axis: number; start: number },
  ): boolean => {
    const [from, first] = [addressOf(rows!), addressOf(buffer!)];
    if (from === undefined || first === undefined || rows!.shape.length !== 4) return false;
    const [B, H, T, D] = rows!.shape as [number, number, number, number];
    const [batch, head, row, column] = rows!.strides as [number, number, number, number];
    const [toBatch, toHead, toRow, toColumn] = buffer!.strides as [number, number, number, number];
    if (column !== 1 || toColumn !== 1) return false;
    const size = bytesPerElement(rows!.dtype);
    const to = first + size * start * buffer!.strides[axis]!;
    const { bytes } = memory;
    for (let b = 0; b < B; b++) {
      for (let h = 0; h < H; h++) {
        for (let t = 0; t < T; t++) {
          const at = from + size * (b * batch + h * head + t * row);
          bytes.copyWithin(to + size * (b * toBatch + h * toHead + t * toRow), at, at + size * D);
        }
      }
    }
    return true;
  };
}
