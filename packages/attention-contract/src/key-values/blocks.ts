import { cast, isTensor, mul, permute, reshape, slice, take, tensor, type Tensor } from "@qkv/tensor";
import type { Blocks, Part } from "./key-values.js";

/** Whether keys or values lie in blocks. */
export function isBlocks(part: Part): part is Blocks {
  return !isTensor(part);
}

/** Tokens of a part, of its longest batch. */
export function partLength(part: Part): number {
  if (!isBlocks(part)) return part.shape[2]!;
  return typeof part.length === "number" ? part.length : part.length.reduce((a, b) => Math.max(a, b), 0);
}

/**
 * Keys or values of a part as one tensor `[B, Hkv, S, D]`: what lies in blocks is copied together, and whole numbers are
 * multiplied with their scale. A place that holds nothing has the numbers of some other token.
 *
 * @param batchSize - B, which a table alone does not tell.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { densePart } from "@qkv/attention-contract";
 *
 * const data = tensor([[5], [6], [7], [8]], { shape: [2, 1, 2, 1] }); // two blocks of two tokens
 * const part = { data, table: Int32Array.of(1, 0), blockLength: 2, length: 3 };
 * densePart(part, 1).toNested(); // => [[[[7], [8], [5]]]]
 * ```
 */
export function densePart(part: Part, batchSize: number): Tensor {
  if (!isBlocks(part)) return part;
  const { data, scale, table, blockLength } = part;
  const length = partLength(part);
  const [, Hkv, , D] = data.shape as [number, number, number, number];
  const columns = Math.ceil(length / blockLength);
  const width = table.length / batchSize;
  const blocks = Array.from({ length: batchSize * columns }, (_, n) =>
    Math.max(0, table[Math.floor(n / columns) * width + (n % columns)]!),
  );
  const indices = tensor(blocks, { shape: [batchSize, columns], dtype: "int32", device: data.device });
  const taken = take(data, 0, indices); // [B, columns, Hkv, blockLength, D]
  const scaled = scale ? mul(cast(taken, scale.dtype), take(scale, 0, indices)) : taken;
  const rows = reshape(permute(scaled, [0, 2, 1, 3, 4]), [batchSize, Hkv, columns * blockLength, D]);
  return slice(rows, 2, 0, length);
}
