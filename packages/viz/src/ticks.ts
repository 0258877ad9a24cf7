/**
 * Round numbers that cover a range, about `count` of them: 1, 2 or 5 times a power of ten apart. The first is at or
 * below `low`, the last at or above `high`.
 */
export function ticks(low: number, high: number, count = 4): number[] {
  // Without a range, or with one too small for floating point, the axis starts at 0.
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (size < 1e-100) [low, high] = [0, 1];
  else if (high - low < size * 1e-9) [low, high] = [Math.min(0, low), Math.max(0, high)];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((times) => times * power >= rough * 0.999) ?? 10) * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  // Multiplying integers keeps 0.3 from becoming 0.30000000000000004.
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}
