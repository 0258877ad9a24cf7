import { checks, checkSignal, type Checks } from "@qkv/core";
import type { Tensor } from "@qkv/tensor";
import type { OptimizerState } from "@qkv/tensor/optimizers";
import { eventLoopYielder } from "../generation/yield-to-event-loop.js";
import type { Batch } from "./batch.js";
import { isGradientSource, type GradientSource } from "./gradient-source.js";
import { isOptimizer, measuredStep, type StepMeasures, type Training, updateFrom } from "./train-step.js";

/** Options of a training run. */
export type TrainOptions<P, B = Batch> = Omit<Training<P, B>, "loss"> & {
  /** Loss of a batch: a scalar, the mean over the batch. Or losses and gradients that are computed elsewhere, as in workers. */
  loss: Training<P, B>["loss"] | GradientSource<P, B>;
  /** Changed in place. */
  params: P;
  /** State of the optimizer, to continue a run. Default: `optimizer.init(params)`. */
  state?: OptimizerState<P>;
  /** The batch of a step, or of a part of one where gradients are accumulated; it may come later, as from a stream. */
  batchAt(step: number): B | Promise<B>;
  /** Updates in all, those that `state` has seen included. */
  steps: number;
  /** Batches of one update, as if they were one: each is weighted by the `count` of its loss. Default 1. */
  accumulate?: number;
  /** Evaluates the params on held-out data; less is better. */
  evaluate?: (params: P) => Promise<number> | number;
  /** Steps from one evaluation to the next. Default: only after the last. */
  evaluateEvery?: number;
  /** Ends the run when so many evaluations in a row were no better than the best. Default: never. */
  patience?: number;
  /** Earlier evaluations, for the patience of a continued run. Default: none. */
  evaluations?: readonly number[];
  /** Ends the run after the step it is in: the generator throws the signal's reason. */
  signal?: AbortSignal;
};

/** Report of a training step. */
export type TrainReport<P> = {
  /** Updates made. */
  step: number;
  /** The mean loss of the step's batches before the update, weighted as their gradients are. */
  loss: number;
  /** The norm of all gradients together before they were clipped; undefined without `maxNorm`. */
  gradientNorm: number | undefined;
  /** Time of the step. Unit: milliseconds. */
  timeMs: number;
  /** The result of `evaluate` after the update; undefined in steps without evaluation. */
  evaluation: number | undefined;
  params: P;
  state: OptimizerState<P>;
};

/**
 * Trains, step by step: `for await (const { step, loss } of train({ … }))`. Between steps timers, signals and the page
 * run. Stop the loop and params and state are those of the last step; give both again to go on.
 *
 * @returns A report of each step.
 * @throws {ArgumentError} If a number of steps is none, or a loss is no number: then params are as after that step.
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
  check.list({ evaluations: options.evaluations ?? [] }, "numbers", (one) => typeof one === "number");
  const state = options.state ?? options.optimizer.init(params);
  const { loss, optimizer, maxNorm } = options;
  const how = { optimizer, ...(maxNorm !== undefined && { maxNorm }) };
  const update = isGradientSource<P, B>(loss)
    ? async (batches: readonly B[]) =>
        updateFrom(await loss.gradients(params, batches, state.step * accumulate), params, state, how)
    : withState(measuredStep<P, B>({ loss, ...how }), params, state);
  const breathe = eventLoopYielder();
  let [best, worse] = [Infinity, 0];
  const note = (evaluation: number) => {
    worse = evaluation < best ? 0 : worse + 1;
    best = Math.min(best, evaluation);
  };
  options.evaluations?.forEach(note);
  const impatient = () => patience !== undefined && worse >= patience;
  while (state.step < steps && !impatient()) {
    signal?.throwIfAborted();
    const start = performance.now();
    const first = state.step * accumulate;
    const batches = await Promise.all(Array.from({ length: accumulate }, (_, i) => batchAt(first + i)));
    const measures = await update(batches);
    const measured = await readScalar(measures.loss);
    const gradientNorm = measures.gradientNorm && (await readScalar(measures.gradientNorm));
    const timeMs = performance.now() - start;
    if (!Number.isFinite(measured)) {
      const fix = "make the learning rate smaller, warm it up, or give `maxNorm`.";
      check.refuse({
        argument: "loss",
        received: measured,
        expected: `a number at step ${state.step}`,
        fix,
      });
    }
    const due = state.step === steps || (evaluateEvery !== undefined && state.step % evaluateEvery === 0);
    const evaluation = evaluate && due ? await evaluate(params) : undefined;
    if (evaluate && due)
      check.type(
        { "evaluate(params)": evaluation },
        "number",
        "return `await meanLoss(loss, params, batches)`.",
      );
    yield {
      step: state.step,
      loss: measured,
      gradientNorm,
      timeMs,
      evaluation,
      params,
      state,
    };
    if (evaluation !== undefined) note(evaluation);
    await breathe();
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
