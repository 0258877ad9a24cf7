const bars = "▁▂▃▄▅▆▇█";

/**
 * Draws values as a line of bars, scaled from the smallest to the largest. If there are more values than bars, each bar is the
 * mean of a range of them.
 *
 * @param width - Maximum number of bars.
 */
export function sparkline(values: readonly number[], width: number): string {
  const count = Math.min(width, values.length);
  const means = Array.from({ length: count }, (_, i) => {
    const part = values.slice(
      Math.floor((i * values.length) / count),
      Math.floor(((i + 1) * values.length) / count),
    );
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const [low, high] = [Math.min(...means), Math.max(...means)];
  return means.map((mean) => bars[high > low ? Math.round(((mean - low) / (high - low)) * 7) : 0]).join("");
}
