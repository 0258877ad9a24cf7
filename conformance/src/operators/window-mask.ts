import { maskTensor } from "@qkv/attention";
import { tensor } from "@qkv/tensor";
import type { Mask } from "@qkv/attention-contract";
import type { Device } from "@qkv/tensor/contracts";

/**
 * The window of Attention since opset 25: query `i` at position `p = offset + i` sees key `j` where
 * `p - left <= j <= p + right`. Both bounds count inclusively, and -1 leaves that side open.
 *
 * @see https://github.com/onnx/onnx/pull/8108
 */
export function windowMask(window: {
  left: number;
  right: number;
  /** One for all, or one per batch element. */
  offset: number | readonly number[];
  queryLength: number;
  keyLength: number;
  device: Device;
}): Mask {
  const { left, right, offset, queryLength, keyLength, device } = window;
  const offsets = typeof offset === "number" ? [offset] : offset;
  const sees = offsets.flatMap((start) =>
    Array.from({ length: queryLength * keyLength }, (_, at) => {
      const position = start + Math.floor(at / keyLength);
      const key = at % keyLength;
      return Number((left < 0 || key >= position - left) && (right < 0 || key <= position + right));
    }),
  );
  const shape = [offsets.length, 1, queryLength, keyLength];
  return maskTensor(tensor(Uint8Array.from(sees), { shape, dtype: "bool", device }));
}
