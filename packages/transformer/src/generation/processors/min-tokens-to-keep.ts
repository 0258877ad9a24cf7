import type { Checks } from "@qkv/core";
import type { LogitsProcessor } from "./logits-processor.js";

/** Options of the processors that remove unlikely tokens. */
export type TruncationOptions = {
  /** Number of most likely tokens that are never removed. Default 1. */
  minTokensToKeep?: number;
};

/** Checks `minTokensToKeep` and returns it with its default. */
export function checkMinTokensToKeep(check: Checks, options: TruncationOptions | undefined): number {
  const { minTokensToKeep = 1 } = check.options(options, ["minTokensToKeep"]);
  check.whole({ minTokensToKeep }, { min: 1, unit: "tokens", fix: "leave it out for 1." });
  return minTokensToKeep;
}

/** Token ids by descending scores; ties by ascending id. */
export function byScore(scores: ArrayLike<number>): number[] {
  return Array.from({ length: scores.length }, (_, id) => id).sort(
    (a, b) => (scores[b]! > scores[a]! ? 1 : scores[b]! < scores[a]! ? -1 : 0) || a - b,
  );
}

/** The score of the `count`-th most likely token. */
export function scoreAtRank(scores: Float64Array, count: number): number {
  const sorted = scores.slice().sort();
  return sorted[Math.max(0, sorted.length - count)]!;
}

/** A processor that removes tokens below a threshold, but always keeps the most likely ones. */
export function cutoffProcessor(
  name: string,
  minTokensToKeep: number,
  cutoff: (scores: Float64Array) => number,
): LogitsProcessor {
  return {
    name,
    process(scores) {
      const threshold = Math.min(cutoff(scores), scoreAtRank(scores, minTokensToKeep));
      for (let id = 0; id < scores.length; id++) if (scores[id]! < threshold) scores[id] = -Infinity;
    },
  };
}
