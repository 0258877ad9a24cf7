import type { BoundMask, Range, TileClass } from "@qkv/attention-contract";

/** The class of a tile by definition: the mask is asked about every pair of positions. */
export function exhaustiveTileClass(
  mask: BoundMask,
  query: Range,
  key: Range,
  batch = 0,
  head = 0,
): TileClass {
  let seen = 0;
  for (let q = query.first; q <= query.last; q++) {
    for (let k = key.first; k <= key.last; k++) if (mask.sees(q, k, batch, head)) seen += 1;
  }
  const pairs = (query.last - query.first + 1) * (key.last - key.first + 1);
  return seen === 0 ? "none" : seen === pairs ? "all" : "some";
}
