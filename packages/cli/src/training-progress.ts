import { duration } from "./duration.js";
import type { Output } from "./io.js";
import { progressLine } from "./progress-line.js";
import { sparkline } from "./sparkline.js";
import { isMark, type RunReport } from "./training-loop.js";

/** The progress of a run: a bar with its curve, and a line for evaluations and for steps at growing distances. */
export type TrainingProgress = {
  onStep: (report: RunReport) => void;
  /** Removes the bar. */
  clear: () => void;
};

/** @param steps - Steps in all. */
export function trainingProgress(err: Output, steps: number): TrainingProgress {
  const line = progressLine(err);
  const start = performance.now();
  const losses: number[] = [];
  let first: number | undefined;
  return {
    onStep({ step, loss, evaluation, tokensPerSecond, flopsPerSecond }) {
      first ??= step - 1;
      losses.push(loss);
      if (evaluation !== undefined || isMark(step)) {
        line.clear();
        const heldBack = evaluation === undefined ? "" : `, held-back ${evaluation.toFixed(4)}`;
        err.write(`step ${step}: loss ${loss.toFixed(4)}${heldBack}\n`);
      }
      const perStep = (performance.now() - start) / 1000 / (step - first);
      const left = duration((steps - step) * perStep);
      const speed = [
        `${Math.round(tokensPerSecond)} tokens/s`,
        ...(flopsPerSecond === undefined ? [] : [`${(flopsPerSecond / 1e9).toPrecision(3)} GFLOP/s`]),
      ].join(", ");
      line.show(
        step / steps,
        `${step} of ${steps}, loss ${loss.toFixed(4)} ${sparkline(losses, 16)} ${speed}, ${left} left`,
      );
    },
    clear: line.clear,
  };
}
