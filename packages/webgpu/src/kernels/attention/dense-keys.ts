import { denseSegment, isPaged, type KeyValueSegment } from "@qkv/attention-contract";
import { cast, concat, type Tensor } from "@qkv/tensor";

/**
 * Keys or values of all segments as one tensor `[B, Hkv, S, D]` with contiguous rows. A single such segment is returned as it
 * is; others are concatenated on the GPU, with pages gathered and int8 and 16-bit numbers converted to float32.
 */
export function denseRows(segments: readonly KeyValueSegment[], B: number): Tensor {
  const parts = segments.map((segment) => cast(denseSegment(segment, B), "float32"));
  const [only] = parts;
  if (parts.length > 1) return concat(parts, 2);
  const unitStride = only!.strides[3] === 1 || only!.shape[3]! <= 1;
  return unitStride && !isPaged(segments[0]!) ? only! : concat([only!], 2);
}
