import type { HalfType, View } from "@qkv/tensor";
import { packedColumns } from "../binaries/layout.js";
import type { Call } from "../call.js";
import type { Engine } from "../engine.js";

/** A batch of products [M, K] · [K, N]: strides in elements, the shape of the batch, and the operands for its strides. */
export type Product = {
  M: number;
  N: number;
  K: number;
  aRow: number;
  aColumn: number;
  bRow: number;
  bColumn: number;
  /** Number of products. */
  count: number;
  batch: readonly number[];
  a: View;
  b: View;
  /** The dtype of b if it has 16 bits. Default: float32. */
  half?: HalfType;
};

/** Length of the summed axis, and number of columns, that are packed at a time: 8 MiB of b. */
const maxDepth = 512;
const maxColumns = 4096;
/** Largest number of rows of a for which contiguous rows of b are read in place instead of packed. */
const maxInPlaceRows = 32;

/**
 * One product on several threads. For each part of the summed axis, b is packed once, and then each work item computes some rows
 * by some columns. The division into items does not change results: the order of each sum along the summed axis is fixed.
 */
export function largeProduct(
  engine: Engine,
  call: Call,
  { M, N, K, aRow, aColumn, bRow, bColumn, half }: Product,
  a: number,
  b: number,
  c: number,
): boolean {
  const inPlace = !half && M <= maxInPlaceRows && bColumn === 1 && N % 8 === 0;
  const packed = inPlace
    ? 0
    : call.scratch(4 * Math.min(maxDepth, K) * Math.ceil(Math.min(N, maxColumns) / 8) * 8);
  for (let n = 0; n < N; n += maxColumns) {
    const columns = Math.min(maxColumns, N - n);
    const [height, width] = itemSize(M, Math.ceil(columns / 8), engine.threads);
    const items = Math.ceil(M / height) * Math.ceil(Math.ceil(columns / 8) / width);
    for (let k = 0; k < K; k += maxDepth) {
      const length = Math.min(maxDepth, K - k);
      const right = b + (half ? 2 : 4) * (k * bRow + n * bColumn);
      const left = a + 4 * k * aColumn;
      const scratch = engine.exports["multiplyScratch"]!(height, length);
      const add = k > 0 ? 1 : 0;
      const panelsReady =
        inPlace ||
        engine.parallel(
          half ? "packHalfColumns" : "packColumns",
          Math.ceil(columns / packedColumns),
          0,
          ...[right, bRow, bColumn, columns, length, packed, Number(half === "float16")],
        );
      const [panels, panelStride, rowStride] = inPlace ? [right, 32, 4 * bRow] : [packed, 32 * length, 32];
      const done =
        panelsReady &&
        engine.parallel(
          "multiply",
          items,
          scratch,
          ...[left, aRow, aColumn, panels!, c + 4 * n, N, M, columns, length, height, width, add],
          ...[panelStride!, rowStride!],
        );
      if (!done) return false;
    }
  }
  return true;
}

/** Rows, and panels of 8 columns, per work item: several items per thread, with as little repeated packing as possible. */
function itemSize(M: number, panels: number, threads: number): [height: number, width: number] {
  let [height, width] = [96, panels];
  const tooFew = () => threads > 1 && Math.ceil(M / height) * Math.ceil(panels / width) < 4 * threads;
  while (tooFew() && height > 24) height /= 2;
  while (tooFew() && width > 8) width = Math.ceil(width / 2);
  return [height, width];
}
