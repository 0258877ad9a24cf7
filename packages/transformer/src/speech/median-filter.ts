/** The median of `width` numbers around each number of a row, which is reflected at its ends. A row shorter than that is not changed. */
export function medianFilter(row: Float64Array, width: number): Float64Array {
  const side = (width - 1) / 2;
  const last = row.length - 1;
  if (last < side) return row;
  const mirrored = (i: number) => (i < 0 ? -i : i > last ? 2 * last - i : i);
  const around = new Float64Array(width);
  return row.map((_, at) => {
    for (let i = 0; i < width; i++) around[i] = row[mirrored(at + i - side)]!;
    return around.sort()[side]!;
  });
}
