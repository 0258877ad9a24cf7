import { denseSegment, isPaged, type KeyValueSegment } from "@qkv/attention-contract";
import { cast, concat, type Tensor } from "@qkv/tensor";

/**
 * Keys or values of all segments as one tensor `[B, Hkv, S, D]` whose rows lie in one piece: as they are where they are
 * one, else copied together on the GPU, what is in pages, in int8 or in 16 bits as numbers.
 */
export function denseRows(segments: readonly KeyValueSegment[], B: number): Tensor {
  const parts = segments.map((segment) => cast(denseSegment(segment, B), "float32"));
  const [only] = parts;
  if (parts.length > 1) return concat(parts, 2);
  const inPieces = only!.strides[3] === 1 || only!.shape[3]! <= 1;
  return inPieces && !isPaged(segments[0]!) ? only! : concat([only!], 2);
}
