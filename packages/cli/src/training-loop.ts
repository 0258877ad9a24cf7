import { checks, isQkvError } from "@qkv/core";
import type { Device } from "@qkv/tensor";
import { adamW, warmupCosine, type Optimizer } from "@qkv/tensor/optimizers";
import type { BatchStreamState } from "@qkv/transformer/data";
import { train, type TrainOptions } from "@qkv/transformer/training";
import { curveText } from "./curve-text.js";
import { matmulPeak } from "./matmul-peak.js";
import type { RunNotes, TrainingFolder } from "./training-folder.js";

/** Speed of a training run. */
export type RunSpeed = {
  /** Training tokens per second, over the steps so far. */
  tokensPerSecond: number;
  /** FLOPs per second of the model, forward and backward. Undefined: unknown. */
  flopsPerSecond: number | undefined;
  /** FLOPs per second of the device's matrix products, measured before the first step. */
  peakFlopsPerSecond: number | undefined;
  /** Model FLOPs utilization, MFU: `flopsPerSecond / peakFlopsPerSecond`. */
  utilization: number | undefined;
};

/** Report of a step of a run. */
export type RunReport = RunSpeed & {
  step: number;
  loss: number;
  evaluation: number | undefined;
};

/** Folder, curve, callbacks and data position of a run. */
export type TrainingLoopOptions = {
  folder: TrainingFolder;
  /** Saved metadata; its curve gets a row for each step. */
  notes: RunNotes;
  /** Position in the data, if they are a stream. */
  dataState?: () => BatchStreamState;
  /** Number of steps between checkpoints. */
  saveEvery: number;
  device: Device;
  tokensPerStep: number;
  /** FLOPs of the model per token, forward and backward. Undefined: unknown. */
  flopsPerToken: number | undefined;
  /** Ends the run after the current step, with a checkpoint. */
  signal: AbortSignal;
  onStep: (report: RunReport) => void;
  /** Called after each evaluation. */
  onEvaluation?: (evaluation: number) => Promise<void>;
};

/**
 * Trains, reports each step, and saves checkpoints and the curve in the folder of the run.
 *
 * @returns Speed of the run, as in the last report; undefined if no step was left.
 */
export async function trainingLoop<P>(
  training: TrainOptions<P>,
  options: TrainingLoopOptions,
): Promise<RunSpeed | undefined> {
  const { folder, notes, dataState, saveEvery, tokensPerStep, flopsPerToken, signal, onStep, onEvaluation } =
    options;
  const { params } = training;
  let [latest, saved] = [training.state, training.state?.step ?? 0];
  const saveCurve = () => folder.saveText("curve.csv", curveText(notes));
  const save = async () => {
    if (!latest || latest.step === saved) return;
    const data = dataState?.();
    await folder.saveCheckpoint({ params, state: latest, notes: { ...notes, ...(data && { data }) } });
    await saveCurve();
    saved = latest.step;
  };
  let [timeMs, done] = [0, 0];
  let speed: RunSpeed | undefined;
  const peakFlopsPerSecond = flopsPerToken === undefined ? undefined : await matmulPeak(options.device);
  for await (const { step, loss, evaluation, state, timeMs: stepMs } of withFlagNames(train(training))) {
    latest = state;
    timeMs += stepMs;
    done += 1;
    notes.curve.push([step, loss, evaluation ?? null]);
    const tokensPerSecond = (done * tokensPerStep) / (timeMs / 1000);
    const flopsPerSecond = flopsPerToken && flopsPerToken * tokensPerSecond;
    const utilization = flopsPerSecond && peakFlopsPerSecond && flopsPerSecond / peakFlopsPerSecond;
    speed = { tokensPerSecond, flopsPerSecond, peakFlopsPerSecond, utilization };
    onStep({ step, loss, evaluation, ...speed });
    if (evaluation !== undefined) await onEvaluation?.(evaluation);
    if (step % saveEvery === 0 || signal.aborted) await save();
    else if (isMark(step)) await saveCurve();
    signal.throwIfAborted();
  }
  await save();
  return speed;
}

/** AdamW with a linear warm-up over a tenth of the steps, at most 100, and cosine decay to a tenth of the learning rate. */
export function scheduledAdamW(options: {
  learningRate: number;
  steps: number;
  weightDecay: number;
  betas?: readonly [number, number];
}): Optimizer {
  const { learningRate: peak, steps, weightDecay, betas } = options;
  const warmupSteps = Math.min(100, Math.floor(steps / 10));
  const learningRate = warmupCosine({ peak, floor: peak / 10, warmupSteps, steps });
  return adamW({ learningRate, weightDecay, ...(betas && { betas }) });
}

/** True for steps that are reported, at growing intervals: 1, 2, 5, 10, 20, 50, … */
export const isMark = (step: number): boolean => /^[125]0*$/.test(String(step));

/** Runs `train`, and renames its errors to options of the command. */
async function* withFlagNames<T>(run: AsyncGenerator<T, void>): AsyncGenerator<T, void> {
  try {
    yield* run;
  } catch (cause) {
    if (!isQkvError(cause) || cause.fn !== "train" || cause.argument !== "loss") throw cause;
    checks("qkv").refuse({
      argument: "--learning-rate",
      received: `a rate with which the loss is ${String(cause.received)}`,
      expected: `one with which it is ${cause.expected}`,
      fix: "use a smaller --learning-rate, as 0.001; --resume goes on from the last checkpoint.",
      cause,
    });
  }
}
