import { isPacked } from "@qkv/core";
import { cast, type Tensor } from "@qkv/tensor";
import type { KeyValues, KeyValueSegment } from "./key-values.js";
import { isPaged } from "./segments.js";

/**
 * Casts keys and values of 16 bits to float32 for kernels that compute in float32. Other segments are returned unchanged.
 *
 * @param reads - 16-bit types that the kernel can read, which are not cast. Default: none.
 */
export function floatKeyValues(keyValues: KeyValues, reads: readonly string[] = []): KeyValues {
  const { key, value } = keyValues;
  const isReadable = ({ dtype }: Tensor) => !isPacked(dtype) || reads.includes(dtype);
  const data = (segment: KeyValueSegment): Tensor => (isPaged(segment) ? segment.data : segment);
  if ([...key, ...value].every((segment) => isReadable(data(segment)))) return keyValues;
  const widened = (segment: KeyValueSegment): KeyValueSegment => {
    if (isReadable(data(segment))) return segment;
    const floats = cast(data(segment), "float32");
    return isPaged(segment) ? { ...segment, data: floats } : floats;
  };
  return { ...keyValues, key: key.map(widened), value: value.map(widened) };
}
