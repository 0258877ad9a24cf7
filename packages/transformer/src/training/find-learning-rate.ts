import { checks, checkSignal, type Checks } from "@qkv/core";
import { clone, mapTensors, resident } from "@qkv/tensor";
import type { Optimizer, Schedule } from "@qkv/tensor/optimizers";
import { eventLoopYielder } from "../generation/yield-to-event-loop.js";
import type { Batch } from "./batch.js";
import { trainStep, type Training } from "./train-step.js";

/** Options of {@link findLearningRate}. */
export type LearningRateOptions<P, B = Batch> = Omit<Training<P, B>, "optimizer"> & {
  /** Params, which are copied and not changed. */
  params: P;
  /** The optimizer with a schedule: `(learningRate) => adamW({ learningRate })`. */
  optimizer: (learningRate: Schedule) => Optimizer;
  /** The batch of a step. */
  batchAt(step: number): B | Promise<B>;
  /** Learning rate of the first step. Default 1e-6. */
  from?: number;
  /** Learning rate of the last step. Default 1. */
  to?: number;
  /** Maximum number of steps, at least 3. Default 100. */
  steps?: number;
  /** Ends the search after the current step: the promise rejects with the signal's reason. */
  signal?: AbortSignal;
};

/** Losses over increasing learning rates. */
export type LearningRateCurve = {
  /** One entry for each step. `smoothLoss` is the exponential moving average of the losses so far. */
  readonly rows: readonly { learningRate: number; loss: number; smoothLoss: number }[];
  /** The rate at which the smoothed loss falls fastest over the logarithm of the rate; undefined if it never falls. */
  readonly learningRate: number | undefined;
};

/** Decay of the moving average of losses, and the multiple of the lowest loss at which the search ends; both as in fastai. */
const [decay, divergenceFactor] = [0.98, 4];

/**
 * Finds a learning rate by a range test: a copy of the params is trained while the rate increases by a constant factor per step, until the
 * loss diverges. The rate at which the loss falls fastest is a good peak for a schedule; a tenth of the rate at which it is lowest is a
 * cautious one.
 *
 * @throws {ArgumentError} If an option is outside of its range.
 * @see "Cyclical Learning Rates for Training Neural Networks" (2015), arXiv:1506.01186, section 3.3
 *
 * @example
 * ```ts
 * import { mul, sub, sum, tensor, type Tensor } from "@qkv/tensor";
 * import { sgd } from "@qkv/tensor/optimizers";
 * import { findLearningRate } from "@qkv/transformer/training";
 *
 * const params = { w: tensor([0]) };
 * const loss = ({ w }: { w: Tensor }, goal: number) => sum(mul(sub(w, goal), sub(w, goal)));
 * const optimizer = (learningRate: (step: number) => number) => sgd({ learningRate });
 * const { rows } = await findLearningRate({ params, loss, optimizer, batchAt: () => 4, from: 0.25, to: 1, steps: 3 });
 * rows.map(({ learningRate, loss }) => [learningRate, loss]); // => [[0.25, 16], [0.5, 4], [1, 0]]
 * ```
 */
export async function findLearningRate<P, B = Batch>(
  options: LearningRateOptions<P, B>,
): Promise<LearningRateCurve> {
  const given = check.options(options, names);
  const {
    loss,
    maxNorm,
    optimizer: createOptimizer,
    batchAt,
    from = 1e-6,
    to = 1,
    steps = 100,
    signal,
  } = given;
  checkSignal("findLearningRate", signal);
  check.type({ optimizer: createOptimizer, batchAt, loss }, "function");
  check.finite({ from }, { above: 0 });
  check.finite({ to }, { above: from, fix: "the rate grows from `from` to `to`." });
  check.whole({ steps }, { min: 3 });
  const rateAt = (step: number) => from * (to / from) ** (step / (steps - 1));
  const optimizer = createOptimizer(rateAt);
  const params = mapTensors(given.params, (x) => x.device.scope(() => resident(clone(x))));
  const state = optimizer.init(params);
  const step = trainStep<P, B>({ loss, optimizer, ...(maxNorm !== undefined && { maxNorm }) });
  const yieldToEventLoop = eventLoopYielder();
  const rows: { learningRate: number; loss: number; smoothLoss: number }[] = [];
  let [average, lowest] = [0, Infinity];
  for (let i = 0; i < steps; i++) {
    signal?.throwIfAborted();
    const stepLoss = (await step(params, state, [await batchAt(i)]).read())[0]!;
    average = decay * average + (1 - decay) * stepLoss;
    const smoothLoss = average / (1 - decay ** (i + 1));
    if (!Number.isFinite(smoothLoss) || smoothLoss > divergenceFactor * lowest) break;
    lowest = Math.min(lowest, smoothLoss);
    rows.push({ learningRate: rateAt(i), loss: stepLoss, smoothLoss });
    await yieldToEventLoop();
  }
  return { rows, learningRate: steepestRate(rows) };
}

/** The rate with the steepest decrease of loss. Rates are equally spaced in logarithm. */
function steepestRate(rows: LearningRateCurve["rows"]): number | undefined {
  let [best, slope]: [number | undefined, number] = [undefined, 0];
  for (let i = 1; i + 1 < rows.length; i++) {
    const change = rows[i + 1]!.smoothLoss - rows[i - 1]!.smoothLoss;
    if (change < slope) [best, slope] = [rows[i]!.learningRate, change];
  }
  return best;
}

const check: Checks = /* @__PURE__ */ checks("findLearningRate");
const names: readonly (keyof LearningRateOptions<unknown>)[] = [
  "params",
  "loss",
  "optimizer",
  "batchAt",
  "maxNorm",
  "from",
  "to",
  "steps",
  "signal",
];
