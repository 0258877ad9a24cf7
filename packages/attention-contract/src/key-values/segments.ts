import type { Tensor } from "@qkv/tensor";
import type { PagedBlocks, KeyValueSegment } from "./key-values.js";

/** True for paged blocks, false for a tensor. */
export function isPaged<T extends object>(segment: KeyValueSegment<T>): segment is PagedBlocks<T> {
  return "table" in segment;
}

/** Number of tokens of a segment, in its longest sequence. */
export function segmentLength(segment: KeyValueSegment<Pick<Tensor, "shape">>): number {
  if (!isPaged(segment)) return segment.shape[2]!;
  const { length } = segment;
  return typeof length === "number" ? length : length.reduce((a, b) => Math.max(a, b), 0);
}
