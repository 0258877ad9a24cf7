import {
  cast,
  isTensor,
  mul,
  permute,
  reshape,
  slice,
  take,
  tensor,
  type BlockLayout,
  type Blocks,
  type KeyValues,
  type Part,
  type Tensor,
} from "@qkv/tensor";

/** Whether a part lies in blocks. */
export function isBlocks(part: Part): part is Blocks {
  return !isTensor(part);
}

/** Tokens of a part, of its longest batch. */
export function lengthOf(part: Part): number {
  if (!isBlocks(part)) return part.shape[2]!;
  return typeof part.length === "number" ? part.length : part.length.reduce((a, b) => Math.max(a, b), 0);
}

/** The tensors of all parts as a kernel takes them, and how they lie. */
export function storedParts(parts: readonly Part[]): {
  data: Tensor[];
  scales: Tensor[];
  layouts: (BlockLayout | undefined)[] | undefined;
} {
  const data = parts.map((part) => (isBlocks(part) ? part.data : part));
  const scales = parts.flatMap((part) => (isBlocks(part) && part.scale ? [part.scale] : []));
  if (!parts.some(isBlocks)) return { data, scales, layouts: undefined };
  const layouts = parts.map((part) =>
    isBlocks(part)
      ? {
          table: part.table,
          blockLength: part.blockLength,
          length: lengthOf(part),
          scaled: part.scale !== undefined,
        }
      : undefined,
  );
  return { data, scales, layouts };
}

/**
 * Keys or values of a part as one tensor `[B, Hkv, S, D]`: what lies in blocks is copied together, and whole numbers are
 * multiplied with their scale. Places that hold nothing are some other token's numbers.
 */
export function denseOf(part: Part, B: number): Tensor {
  if (!isBlocks(part)) return part;
  const { data, scale, table, blockLength } = part;
  const length = lengthOf(part);
  const [, Hkv, , D] = data.shape as [number, number, number, number];
  const columns = Math.ceil(length / blockLength);
  const width = table.length / B;
  const blocks = Array.from({ length: B * columns }, (_, n) =>
    Math.max(0, table[Math.floor(n / columns) * width + (n % columns)]!),
  );
  const indices = tensor(blocks, { shape: [B, columns], dtype: "int32", device: data.device });
  const taken = take(data, 0, indices); // [B, columns, Hkv, blockLength, D]
  const scaled = scale ? mul(cast(taken, scale.dtype), take(scale, 0, indices)) : taken;
  const rows = reshape(permute(scaled, [0, 2, 1, 3, 4]), [B, Hkv, columns * blockLength, D]);
  return slice(rows, 2, 0, length);
}

/**
 * Where the keys of a call stand, one by one where batches differ: lengths of batches that a part in blocks tells become
 * places that hold nothing.
 */
export function placesOf({ key, positions }: KeyValues, B: number): KeyValues["positions"] {
  const S = key.reduce((sum, part) => sum + lengthOf(part), 0);
  const uneven = key.some((part) => isBlocks(part) && typeof part.length !== "number");
  if (!uneven) return positions;
  const places = new Int32Array(B * S);
  for (let b = 0, at = 0; b < B; b++) {
    let first = 0;
    for (const part of key) {
      const own = isBlocks(part) && typeof part.length !== "number" ? part.length[b]! : lengthOf(part);
      for (let n = 0; n < lengthOf(part); n++, at++) {
        const s = first + n;
        if (n >= own) places[at] = -1;
        else if ("start" in positions) places[at] = positions.start + s;
        else places[at] = positions[positions.length === S ? s : b * S + s]!;
      }
      first += lengthOf(part);
    }
  }
  return places;
}
