import type { StackRun } from "@qkv/viz/figures/model-stack";

/** Maximum length of a pattern. Unit: layers. */
const maxPeriod = 12;

/**
 * Divides layers into runs of repeated patterns. At each position, the pattern whose repetitions cover the most layers is
 * taken, and the shortest of equally good ones. `[0, 0, 1, 0, 0, 1, 0]` is `[0, 0, 1]` twice and `[0]` once.
 */
export function foldLayers(layers: readonly number[]): StackRun[] {
  const runs: StackRun[] = [];
  let at = 0;
  while (at < layers.length) {
    let best: StackRun = { pattern: [layers[at]!], times: 1 };
    for (let period = 1; period <= maxPeriod; period++) {
      const times = repeats(layers, at, period);
      const better = period * times > best.pattern.length * best.times;
      if (better && (times > 1 || period === 1)) best = { pattern: layers.slice(at, at + period), times };
    }
    runs.push(best);
    at += best.pattern.length * best.times;
  }
  return runs;
}

/** Number of repetitions of the pattern of length `period` that starts at `at`. */
function repeats(layers: readonly number[], at: number, period: number): number {
  let end = at + period;
  while (end < layers.length && layers[end] === layers[end - period]) end++;
  return Math.floor((Math.min(end, layers.length) - at) / period);
}
