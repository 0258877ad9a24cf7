/**
 * Cuts `length` tokens where blocks of `size` end.
 *
 * @param tokens - Tokens of the first block that came before.
 */
export function blockRanges(length: number, size: number, tokens = 0): [start: number, end: number][] {
  const ranges: [number, number][] = [];
  for (let start = 0, end = size - tokens; start < length; start = end, end += size)
    ranges.push([start, Math.min(end, length)]);
  return ranges;
}
