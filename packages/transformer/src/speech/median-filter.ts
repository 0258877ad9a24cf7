/** A median filter: replaces each value of a row by the median of the `width` (odd) values around it. The row is reflected at its ends. A row shorter than `(width + 1) / 2` is returned unchanged. */
export function medianFilter(row: Float64Array, width: number): Float64Array {
  const side = (width - 1) / 2;
  const last = row.length - 1;
  if (last < side) return row;
  const mirrored = (i: number) => (i < 0 ? -i : i > last ? 2 * last - i : i);
  const window = new Float64Array(width);
  return row.map((_, at) => {
    for (let i = 0; i < width; i++) window[i] = row[mirrored(at + i - side)]!;
    return window.sort()[side]!;
  });
}
