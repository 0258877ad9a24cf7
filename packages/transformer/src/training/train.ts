import { checks, checkSignal, type Checks } from "@qkv/core";
import type { Tensor } from "@qkv/tensor";
import type { OptimizerState } from "@qkv/tensor/optimizers";
import { eventLoopYielder } from "../generation/yield-to-event-loop.js";
import type { Batch } from "./batch.js";
import { isGradientSource, type GradientSource } from "./gradient-source.js";
import { isOptimizer, measuredStep, type StepMeasures, type Training, updateFrom } from "./train-step.js";

/** Options of a training run. */
export type TrainOptions<P, B = Batch> = Omit<Training<P, B>, "loss"> & {
  /** Loss of a batch, a scalar: the mean over the batch; or a source of losses and gradients, such as workers. */
  loss: Training<P, B>["loss"] | GradientSource<P, B>;
  /** Changed in place. */
  params: P;
  /** State of the optimizer, to continue a run. Default: `optimizer.init(params)`. */
  state?: OptimizerState<P>;
  /** The batch of a step; with `accumulate` n, of batch index `n · step + i`. A promise for batches of a stream. */
  batchAt(step: number): B | Promise<B>;
  /** Total number of updates, including those already made in `state`. */
  steps: number;
  /** Number of batches per update (gradient accumulation), weighted by the `count` of the loss. Default 1. */
  accumulate?: number;
  /** Evaluates the params on held-out data; lower is better. */
  evaluate?: (params: P) => Promise<number> | number;
  /** Number of steps between evaluations. Default: only after the last step. */
  evaluateEvery?: number;
  /** Early stopping: number of consecutive evaluations without improvement after which the run ends. Default: never. */
  patience?: number;
  /** Evaluations before a resumed run, which count for `patience`. Default: none. */
  evaluations?: readonly number[];
  /** Ends the run after the current step: the generator throws the signal's reason. */
  signal?: AbortSignal;
};

/** Report of a training step. */
export type TrainReport<P> = {
  /** Number of updates so far. */
  step: number;
  /** The mean loss of the step's batches before the update, weighted as their gradients are. */
  loss: number;
  /** Global norm of the gradients before clipping; undefined without `maxNorm`. */
  gradientNorm: number | undefined;
  /** Time of the step. Unit: milliseconds. */
  timeMs: number;
  /** The result of `evaluate` after the update; undefined in steps without evaluation. */
  evaluation: number | undefined;
  params: P;
  state: OptimizerState<P>;
};

/**
 * Trains step by step: `for await (const { step, loss } of train({ … }))`. Between steps, the event loop runs timers and
 * signals. After the loop ends or breaks, params and state are those of the last step; pass both again to resume.
 *
 * @returns A report of each step.
 * @throws {ArgumentError} If a number of steps is invalid, or a loss is NaN or infinite; params then have the update of that step.
 *
 * @example
 * ```ts
 * import { mul, sub, sum, tensor, type Tensor } from "@qkv/tensor";
 * import { sgd } from "@qkv/tensor/optimizers";
 * import { train } from "@qkv/transformer/training";
 *
 * const params = { w: tensor([0]) };
 * const loss = ({ w }: { w: Tensor }, goal: number) => sum(mul(sub(w, goal), sub(w, goal)));
 * const run = train({ params, loss, optimizer: sgd({ learningRate: 0.5 }), batchAt: () => 4, steps: 1 });
 * const losses = [];
 * for await (const report of run) losses.push(report.loss);
 * losses; // => [16]
 * params.w.toNested(); // => [4]
 * ```
 */
export async function* train<P, B = Batch>(given: TrainOptions<P, B>): AsyncGenerator<TrainReport<P>, void> {
  const options = check.options(given, names);
  const { params, batchAt, steps, accumulate = 1, evaluate, evaluateEvery, patience, signal } = options;
  checkSignal("train", signal);
  const fix = "count updates, batches or evaluations.";
  check.whole({ steps }, { min: 0, fix });
  check.whole({ accumulate, evaluateEvery: evaluateEvery ?? 1, patience: patience ?? 1 }, { min: 1, fix });
  check.type({ batchAt }, "function");
  if (!isGradientSource(options.loss)) check.type({ loss: options.loss }, "function");
  if (evaluate !== undefined) check.type({ evaluate }, "function");
  check.each(
    { optimizer: options.optimizer },
    isOptimizer,
    "an optimizer, with init and update",
    "write `adamW({ … })`.",
  );
  check.list({ evaluations: options.evaluations ?? [] }, "numbers", (value) => typeof value === "number");
  const state = options.state ?? options.optimizer.init(params);
  const { loss, optimizer, maxNorm } = options;
  const updateOptions = { optimizer, ...(maxNorm !== undefined && { maxNorm }) };
  const update = isGradientSource<P, B>(loss)
    ? async (batches: readonly B[]) =>
        updateFrom(
          await loss.gradients(params, batches, state.step * accumulate),
          params,
          state,
          updateOptions,
        )
    : withState(measuredStep<P, B>({ loss, ...updateOptions }), params, state);
  const yieldToEventLoop = eventLoopYielder();
  let [best, withoutImprovement] = [Infinity, 0];
  const recordEvaluation = (evaluation: number) => {
    withoutImprovement = evaluation < best ? 0 : withoutImprovement + 1;
    best = Math.min(best, evaluation);
  };
  options.evaluations?.forEach(recordEvaluation);
  const isOutOfPatience = () => patience !== undefined && withoutImprovement >= patience;
  while (state.step < steps && !isOutOfPatience()) {
    signal?.throwIfAborted();
    const start = performance.now();
    const first = state.step * accumulate;
    const batches = await Promise.all(Array.from({ length: accumulate }, (_, i) => batchAt(first + i)));
    const measures = await update(batches);
    const stepLoss = await readScalar(measures.loss);
    const gradientNorm = measures.gradientNorm && (await readScalar(measures.gradientNorm));
    const timeMs = performance.now() - start;
    if (!Number.isFinite(stepLoss)) {
      const fix = "make the learning rate smaller, warm it up, or give `maxNorm`.";
      check.refuse({
        argument: "loss",
        received: stepLoss,
        expected: `a number at step ${state.step}`,
        fix,
      });
    }
    const isDue = state.step === steps || (evaluateEvery !== undefined && state.step % evaluateEvery === 0);
    const evaluation = evaluate && isDue ? await evaluate(params) : undefined;
    if (evaluate && isDue)
      check.type(
        { "evaluate(params)": evaluation },
        "number",
        "return `await meanLoss(loss, params, batches)`.",
      );
    yield {
      step: state.step,
      loss: stepLoss,
      gradientNorm,
      timeMs,
      evaluation,
      params,
      state,
    };
    if (evaluation !== undefined) recordEvaluation(evaluation);
    await yieldToEventLoop();
  }
}

const withState =
  <P, B>(step: ReturnType<typeof measuredStep<P, B>>, params: P, state: OptimizerState<P>) =>
  (batches: readonly B[]): StepMeasures =>
    step(params, state, batches);

async function readScalar(x: Tensor): Promise<number> {
  return (await x.read())[0]!;
}

const check: Checks = /* @__PURE__ */ checks("train");
const names: readonly (keyof TrainOptions<unknown>)[] = [
  "params",
  "loss",
  "optimizer",
  "batchAt",
  "steps",
  "state",
  "maxNorm",
  "accumulate",
  "evaluate",
  "evaluateEvery",
  "patience",
  "evaluations",
  "signal",
];
