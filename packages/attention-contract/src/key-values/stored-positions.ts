import type { Tensor } from "@qkv/tensor";
import type { KeyValues } from "./key-values.js";
import { isPaged, segmentLength } from "./segments.js";

/**
 * Positions of the keys of a call. If sequences in paged blocks differ in length, it is an array in which the slots beyond the end
 * of a shorter sequence have position -1; else the positions are returned unchanged.
 */
export function storedPositions(
  { key, positions }: KeyValues<Pick<Tensor, "shape">>,
  B: number,
): KeyValues["positions"] {
  const uneven = key.some((segment) => isPaged(segment) && typeof segment.length !== "number");
  if (!uneven) return positions;
  const longest = key.map(segmentLength);
  const S = longest.reduce((a, b) => a + b, 0);
  const lists = "start" in positions ? B : Math.max(B, positions.length / S);
  const stored = new Int32Array(lists * S);
  for (let list = 0, at = 0; list < lists; list++) {
    const b = Math.floor(list / (lists / B));
    let first = 0;
    key.forEach((segment, i) => {
      const hasLengths = isPaged(segment) && typeof segment.length !== "number";
      const length = hasLengths ? (segment.length as Int32Array)[b]! : longest[i]!;
      for (let n = 0; n < longest[i]!; n++, at++) {
        const s = first + n;
        if (n >= length) stored[at] = -1;
        else if ("start" in positions) stored[at] = positions.start + s;
        else stored[at] = positions[positions.length === S ? s : list * S + s]!;
      }
      first += longest[i]!;
    });
  }
  return stored;
}
