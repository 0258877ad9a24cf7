/**
 * Divides `length` tokens into ranges that end where blocks of `size` tokens end.
 *
 * @param tokens - Number of earlier tokens that belong to the first block.
 */
export function blockRanges(length: number, size: number, tokens = 0): [start: number, end: number][] {
  const ranges: [number, number][] = [];
  for (let start = 0, end = size - tokens; start < length; start = end, end += size)
    ranges.push([start, Math.min(end, length)]);
  return ranges;
}
