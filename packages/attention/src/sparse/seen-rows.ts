import {
  callPlaces,
  planFor,
  seenKeys,
  tileIndex,
  type KeyValues,
  type Mask,
  type Places,
} from "@qkv/attention-contract";
import { tensor, type Device, type Tensor } from "@qkv/tensor";

/**
 * Keys that each query may see, by a mask and by what is stored: bool `[B or 1, end - start, n]` of the queries from `start`
 * to `end` and of the first n stored keys; none of these queries sees a later one.
 *
 * @param mask - One that is the same for all heads. Default: every stored key is seen.
 */
export function seenRows(
  keyValues: KeyValues,
  mask: Mask | undefined,
  sizes: Pick<Places, "batches" | "heads" | "queries"> & { device: Device },
): (start: number, end: number) => Tensor {
  const { places, bind } = callPlaces(keyValues, sizes);
  const plan = planFor(mask, () => bind(mask), places);
  const { batches: B, columns, queryTile, keyTile, classes } = plan;
  return (start, end) => {
    const rows = Array.from(
      { length: Math.ceil(end / queryTile) - Math.floor(start / queryTile) },
      (_, i) => Math.floor(start / queryTile) + i,
    );
    const isRead = (column: number) =>
      Array.from({ length: B }).some((_, b) =>
        rows.some((row) => classes[tileIndex(plan, b, 0, row, column)] !== 0),
      );
    let tiles = columns;
    while (tiles > 1 && !isRead(tiles - 1)) tiles -= 1;
    const n = Math.min(places.keys, tiles * keyTile);
    const seen = new Uint8Array(B * (end - start) * n);
    for (let b = 0, at = 0; b < B; b++) {
      for (let t = start; t < end; t++) {
        for (let column = 0; column < tiles; column++) {
          const width = Math.min(keyTile, n - column * keyTile);
          seenKeys(plan, b, 0, t, column, seen.subarray(at, at + width));
          at += width;
        }
      }
    }
    return tensor(seen, { shape: [B, end - start, n], dtype: "bool", device: sizes.device });
  };
}
