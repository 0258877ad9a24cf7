import type { StackRun } from "@qkv/viz/figures/model-stack";

/** Longest pattern that is looked for. Unit: layers. */
const longest = 12;

/**
 * Folds layers that repeat: from each place on, the pattern that covers most, and the shortest of those that cover as
 * many. `[0, 0, 1, 0, 0, 1, 0]` is `[0, 0, 1]` twice and `[0]` once.
 */
export function foldLayers(layers: readonly number[]): StackRun[] {
  const runs: StackRun[] = [];
  let at = 0;
  while (at < layers.length) {
    let best: StackRun = { pattern: [layers[at]!], times: 1 };
    for (let period = 1; period <= longest; period++) {
      const times = repeats(layers, at, period);
      const better = period * times > best.pattern.length * best.times;
      if (better && (times > 1 || period === 1)) best = { pattern: layers.slice(at, at + period), times };
    }
    runs.push(best);
    at += best.pattern.length * best.times;
  }
  return runs;
}

/** Times that the layers from a place on repeat with a period. */
function repeats(layers: readonly number[], at: number, period: number): number {
  let end = at + period;
  while (end < layers.length && layers[end] === layers[end - period]) end++;
  return Math.floor((Math.min(end, layers.length) - at) / period);
}
