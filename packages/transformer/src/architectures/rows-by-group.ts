import type { RowMap } from "../conversions/row-map.js";

/** Row map for a file that stores group after group, each with the rows of every part. `sizes`: rows per part in one group. */
export function rowsByGroup(groups: number, sizes: readonly number[]): RowMap {
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
  const width = sizes.reduce((a, b) => a + b, 0);
  return {
    sizes: sizes.map((size) => groups * size),
    to(row) {
      const at = row % width;
      let part = sizes.length - 1;
      while (part > 0 && at < starts[part]!) part -= 1;
      return [part, Math.floor(row / width) * sizes[part]! + at - starts[part]!];
    },
  };
}
