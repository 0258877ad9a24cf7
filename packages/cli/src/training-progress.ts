import { duration } from "./duration.js";
import type { Output } from "./io.js";
import { progressLine } from "./progress-line.js";
import { sparkline } from "./sparkline.js";
import { isMark, type RunReport, type RunSpeed } from "./training-loop.js";

/** Progress of a run: a bar with the loss curve, and lines for evaluations and for steps at growing intervals. */
export type TrainingProgress = {
  onStep: (report: RunReport) => void;
  /** Removes the bar. */
  clear: () => void;
};

/** @param steps - Total number of steps. */
export function trainingProgress(err: Output, steps: number): TrainingProgress {
  const line = progressLine(err);
  const start = performance.now();
  const losses: number[] = [];
  let first: number | undefined;
  return {
    onStep({ step, loss, evaluation, ...speed }) {
      first ??= step - 1;
      losses.push(loss);
      if (evaluation !== undefined || isMark(step)) {
        line.clear();
        const heldBack = evaluation === undefined ? "" : `, held-back ${evaluation.toFixed(4)}`;
        err.write(`step ${step}: loss ${loss.toFixed(4)}${heldBack}\n`);
      }
      const perStep = (performance.now() - start) / 1000 / (step - first);
      const left = duration((steps - step) * perStep);
      line.show(
        step / steps,
        `${step} of ${steps}, loss ${loss.toFixed(4)} ${sparkline(losses, 16)} ${speedText(speed)}, ${left} left`,
      );
    },
    clear: line.clear,
  };
}

/** Tokens per second as text; with FLOPs per second and MFU if the FLOPs are known. */
export function speedText(speed: RunSpeed): string {
  const { tokensPerSecond, flopsPerSecond, peakFlopsPerSecond, utilization } = speed;
  const tokens = `${Math.round(tokensPerSecond)} tokens/s`;
  if (flopsPerSecond === undefined || peakFlopsPerSecond === undefined || utilization === undefined)
    return tokens;
  const [flops, peak] = [flopsPerSecond, peakFlopsPerSecond].map((rate) => (rate / 1e9).toPrecision(3));
  return `${tokens}, ${flops} of ${peak} GFLOP/s (MFU ${(100 * utilization).toFixed(0)} %)`;
}
