import { cast, mul, permute, reshape, slice, take, tensor, type Tensor } from "@qkv/tensor";
import type { KeyValueSegment } from "./key-values.js";
import { isPaged, segmentLength } from "./segments.js";

/**
 * Converts a segment to one tensor `[B, Hkv, S, D]`: blocks are gathered, and quantized codes are multiplied by their scale. The
 * numbers in slots beyond the end of a shorter sequence are arbitrary.
 *
 * @param batchSize - B, the number of rows of the block table.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { denseSegment } from "@qkv/attention-contract";
 *
 * const data = tensor([[5], [6], [7], [8]], { shape: [2, 1, 2, 1] }); // two blocks of two tokens
 * const segment = { data, table: Int32Array.of(1, 0), blockLength: 2, length: 3 };
 * denseSegment(segment, 1).toNested(); // => [[[[7], [8], [5]]]]
 * ```
 */
export function denseSegment(segment: KeyValueSegment, batchSize: number): Tensor {
  if (!isPaged(segment)) return segment;
  const { data, scale, table, blockLength } = segment;
  const length = segmentLength(segment);
  const [, Hkv, , D] = data.shape as [number, number, number, number];
  const columns = Math.ceil(length / blockLength);
  const width = table.length / batchSize;
  const blocks = Array.from({ length: batchSize * columns }, (_, n) =>
    Math.max(0, table[Math.floor(n / columns) * width + (n % columns)]!),
  );
  const indices = tensor(blocks, { shape: [batchSize, columns], dtype: "int32", device: data.device });
  const gathered = take(data, 0, indices); // [B, columns, Hkv, blockLength, D]
  const scaled = scale ? mul(cast(gathered, scale.dtype), take(scale, 0, indices)) : gathered;
  const rows = reshape(permute(scaled, [0, 2, 1, 3, 4]), [batchSize, Hkv, columns * blockLength, D]);
  return slice(rows, 2, 0, length);
}
