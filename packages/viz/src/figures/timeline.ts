import { labelWidth } from "../picture.js";
import type { Step } from "./figure.js";

/** Consecutive steps of one chapter, and its interval on the scrubber, from 0 to 1. */
export type Chapter = { name: string; first: number; count: number; from: number; to: number };

/** The scrubber, on which every moment has a position from 0 to 1. */
export type Timeline = {
  chapters: readonly Chapter[];
  /** Position of a moment. */
  place(step: number, progress: number): number;
  /** Moment at a position. */
  moment(place: number): { step: number; progress: number };
};

/**
 * Divides a scrubber among chapters in proportion to their steps, but not below the width of their names.
 *
 * @param width - Of the scrubber in pixels.
 */
export function timeline(steps: readonly Step[], width: number): Timeline {
  const runs: { name: string; first: number; count: number }[] = [];
  steps.forEach(({ chapter }, i) => {
    const last = runs.at(-1);
    if (last?.name === chapter) last.count += 1;
    else runs.push({ name: chapter, first: i, count: 1 });
  });
  const needed = runs.map(({ name }) => labelWidth([name]) + 16);
  const room = Math.max(0, width - needed.reduce((sum, each) => sum + each, 0));
  const whole = needed.reduce((sum, each) => sum + each, 0) + room;
  let at = 0;
  const chapters = runs.map((run, i) => {
    const from = at / whole;
    at += needed[i]! + (room * run.count) / steps.length;
    return { ...run, from, to: i === runs.length - 1 ? 1 : at / whole };
  });
  return {
    chapters,
    place(step, progress) {
      const { first, count, from, to } = chapters.findLast((chapter) => chapter.first <= step)!;
      return from + ((to - from) * (step - first + progress)) / count;
    },
    moment(place) {
      const { first, count, from, to } =
        chapters.findLast((chapter) => chapter.from <= place) ?? chapters[0]!;
      const steps = Math.min(count, Math.max(0, ((place - from) / (to - from)) * count));
      const whole = Math.min(count - 1, Math.floor(steps));
      return { step: first + whole, progress: Math.min(1, steps - whole) };
    },
  };
}
