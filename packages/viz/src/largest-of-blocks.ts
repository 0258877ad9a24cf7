import type { PictureData } from "./check-data.js";

/** Weights of one head within the weights of many, from `offset` on. */
export type HeadWeights = {
  readonly data: ArrayLike<number>;
  readonly offset: number;
  /** `[T, S]` */
  readonly shape: readonly [number, number];
};

/**
 * The largest weight of each block of `down` queries and `across` keys: a narrow band of weight stays visible in a map that
 * is smaller than its head. Blocks at the ends may hold fewer.
 */
export function largestOfBlocks(
  { data, offset, shape: [T, S] }: HeadWeights,
  [down, across]: readonly [number, number],
): PictureData {
  const [rows, columns] = [Math.ceil(T / down), Math.ceil(S / across)];
  const largest = new Float64Array(rows * columns);
  for (let t = 0, at = offset; t < T; t++) {
    const row = Math.floor(t / down) * columns;
    for (let s = 0; s < S; s++, at++) {
      const block = row + Math.floor(s / across);
      if (data[at]! > largest[block]!) largest[block] = data[at]!;
    }
  }
  return { data: largest, shape: [rows, columns] };
}
