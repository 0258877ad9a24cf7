import type { Tensor } from "@qkv/tensor";
import type { BlockLayout } from "../attention-request.js";
import { isBlocks, partLength } from "./blocks.js";
import type { KeyValues, Part } from "./key-values.js";

/** The tensors of all parts as a kernel takes them, and how they lie. */
export function storedParts(parts: readonly Part[]): {
  data: Tensor[];
  scales: Tensor[];
  layouts: (BlockLayout | undefined)[] | undefined;
} {
  const data = parts.map((part) => (isBlocks(part) ? part.data : part));
  if (!parts.some(isBlocks)) return { data, scales: [], layouts: undefined };
  const scales = parts.flatMap((part) => (isBlocks(part) && part.scale ? [part.scale] : []));
  const layouts = parts.map((part) =>
    isBlocks(part)
      ? {
          table: part.table,
          blockLength: part.blockLength,
          length: partLength(part),
          scaled: part.scale !== undefined,
        }
      : undefined,
  );
  return { data, scales, layouts };
}

/**
 * Where the keys of a call stand, one by one where batches differ: lengths of batches that a part in blocks tells become
 * places that hold nothing.
 */
export function placesOf({ key, positions }: KeyValues, B: number): KeyValues["positions"] {
  const uneven = key.some((part) => isBlocks(part) && typeof part.length !== "number");
  if (!uneven) return positions;
  const longest = key.map(partLength);
  const S = longest.reduce((a, b) => a + b, 0);
  const places = new Int32Array(B * S);
  for (let b = 0, at = 0; b < B; b++) {
    let first = 0;
    key.forEach((part, i) => {
      const own = isBlocks(part) && typeof part.length !== "number" ? part.length[b]! : longest[i]!;
      for (let n = 0; n < longest[i]!; n++, at++) {
        const s = first + n;
        if (n >= own) places[at] = -1;
        else if ("start" in positions) places[at] = positions.start + s;
        else places[at] = positions[positions.length === S ? s : b * S + s]!;
      }
      first += longest[i]!;
    });
  }
  return places;
}
