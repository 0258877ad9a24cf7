import { fromHalfBits, toHalfBits } from "@qkv/core";
import type { TypedArray } from "@qkv/tensor";
import { bytesPerStoredElement, storedBytes, type StoredType } from "../stored-numbers.js";

/** Dtype of tensors in a GGUF file: floats, or `q8_0`, blocks of 32 int8 with a float16 scale. */
export type GgufStoredType = StoredType | "q8_0";

/** A storage type: elements and bytes per block. */
export type GgufStorage = {
  /** The ggml type id. */
  readonly type: number;
  /** The value of `general.file_type` for files that mostly have this type. */
  readonly fileType: number;
  /** Elements per block. */
  readonly elements: number;
  /** Bytes per block. */
  readonly bytes: number;
  /** Encodes complete blocks. */
  encode(numbers: TypedArray): Uint8Array;
};

const floats = (name: StoredType, type: number, fileType: number): GgufStorage => ({
  type,
  fileType,
  elements: 1,
  bytes: bytesPerStoredElement[name],
  encode: (numbers) => storedBytes(numbers, name),
});

/** Storage types by name. */
export const ggufStorages: Readonly<Record<GgufStoredType, GgufStorage>> = {
  float32: floats("float32", 0, 0),
  float16: floats("float16", 1, 1),
  bfloat16: floats("bfloat16", 30, 32),
  q8_0: { type: 8, fileType: 7, elements: 32, bytes: 34, encode: q8_0 },
};

/** q8_0: blocks of 32 elements, a float16 scale followed by 32 int8. */
function q8_0(numbers: TypedArray): Uint8Array {
  const bytes = new Uint8Array((numbers.length / 32) * 34);
  const view = new DataView(bytes.buffer);
  for (let block = 0; block * 32 < numbers.length; block++) {
    let largest = 0;
    for (let i = 0; i < 32; i++) largest = Math.max(largest, Math.abs(numbers[block * 32 + i]!));
    const bits = toHalfBits(largest / 127, "float16");
    const step = fromHalfBits(bits, "float16"); // the scale after rounding to float16
    view.setUint16(block * 34, bits, true);
    for (let i = 0; i < 32 && step > 0; i++) {
      const steps = Math.round(numbers[block * 32 + i]! / step);
      view.setInt8(block * 34 + 2 + i, Math.max(-127, Math.min(127, steps)));
    }
  }
  return bytes;
}

/** Tensors that llama.cpp reads only as float32. */
const float32Only =
  /^(position_embd|token_types)\.|\.(ffn_gate_inp|ssm_conv1d|shortconv\.conv|time_mix_(w1|w2|lerp_fused))\./;

/**
 * The storage type of a tensor for a requested type. Vectors and small tables stay float32, because llama.cpp
 * adds them to float32. Rows that are not a multiple of the block size become float16.
 */
export function chooseGgufStorage(
  requested: GgufStoredType,
  name: string,
  shape: readonly number[],
): GgufStorage {
  if (shape.length < 2 || !name.endsWith(".weight") || float32Only.test(name)) return ggufStorages.float32;
  const storage = ggufStorages[requested];
  return shape.at(-1)! % storage.elements === 0 ? storage : ggufStorages.float16;
}
