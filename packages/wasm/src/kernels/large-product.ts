import type { HalfType, View } from "@qkv/tensor";
import { packedColumns } from "../binaries/layout.js";
import type { Call } from "../call.js";
import type { Engine } from "../engine.js";

/** A batch of products of one size: strides in numbers, and the operands that the batch steps through. */
export type Product = {
  M: number;
  N: number;
  K: number;
  aRow: number;
  aColumn: number;
  bRow: number;
  bColumn: number;
  count: number;
  batch: readonly number[];
  a: View;
  b: View;
  /** The type of b's numbers where they have 16 bits. Default: float32. */
  half?: HalfType;
};

/** Numbers of the summed axis taken at a time, and columns: what is packed of b stays below 8 MiB. */
const depth = 512;
const most = 4096;
/** Rows of a, at most, for which rows of b that lie in one piece are not packed. */
const few = 32;

/**
 * One product, shared among threads: for each stretch of the summed axis b is packed once, then items of some rows by
 * some columns follow. How it is cut does not change a number: each sum goes along the summed axis in the same order.
 */
export function largeProduct(
  engine: Engine,
  call: Call,
  { M, N, K, aRow, aColumn, bRow, bColumn, half }: Product,
  a: number,
  b: number,
  c: number,
): boolean {
  const inPlace = !half && M <= few && bColumn === 1 && N % 8 === 0;
  const packed = inPlace ? 0 : call.scratch(4 * Math.min(depth, K) * Math.ceil(Math.min(N, most) / 8) * 8);
  for (let n = 0; n < N; n += most) {
    const columns = Math.min(most, N - n);
    const [height, width] = cut(M, Math.ceil(columns / 8), engine.threads);
    const items = Math.ceil(M / height) * Math.ceil(Math.ceil(columns / 8) / width);
    for (let k = 0; k < K; k += depth) {
      const length = Math.min(depth, K - k);
      const right = b + (half ? 2 : 4) * (k * bRow + n * bColumn);
      const left = a + 4 * k * aColumn;
      const scratch = engine.exports["multiplyScratch"]!(height, length);
      const add = k > 0 ? 1 : 0;
      const isPacked =
        inPlace ||
        engine.parallel(
          half ? "packHalfColumns" : "packColumns",
          Math.ceil(columns / packedColumns),
          0,
          ...[right, bRow, bColumn, columns, length, packed, Number(half === "float16")],
        );
      const [panels, apart, step] = inPlace ? [right, 32, 4 * bRow] : [packed, 32 * length, 32];
      const done =
        isPacked &&
        engine.parallel(
          "multiply",
          items,
          scratch,
          ...[left, aRow, aColumn, panels!, c + 4 * n, N, M, columns, length, height, width, add],
          ...[apart!, step!],
        );
      if (!done) return false;
    }
  }
  return true;
}

/** Rows and panels of 8 columns to an item, so that there are some items for each thread and as little is packed twice. */
function cut(M: number, panels: number, threads: number): [height: number, width: number] {
  let [height, width] = [96, panels];
  const tooFew = () => threads > 1 && Math.ceil(M / height) * Math.ceil(panels / width) < 4 * threads;
  while (tooFew() && height > 24) height /= 2;
  while (tooFew() && width > 8) width = Math.ceil(width / 2);
  return [height, width];
}
