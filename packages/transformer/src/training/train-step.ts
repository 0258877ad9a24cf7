import { checks, type Checks } from "@qkv/core";
import { add, mapTensors, mul, tensorsOf, valueAndGrad, type Tensor } from "@qkv/tensor";
import { clipGradients, type Optimizer, type OptimizerState } from "@qkv/tensor/optimizers";
import type { Batch } from "./batch.js";
import type { BatchLoss } from "./batch-loss.js";
import type { BatchGradients } from "./gradient-source.js";

/** Loss, optimizer and gradient clipping of training. */
export type Training<P, B = Batch> = {
  /** Loss of a batch: a scalar, the mean over the batch. */
  loss: BatchLoss<P, B>;
  optimizer: Optimizer;
  /** Clips gradients to this norm. Default: no clipping. */
  maxNorm?: number;
};

/**
 * Performs one training step: computes the gradient of the mean loss over the batches and updates params and optimizer
 * state in place. Several batches give the gradient of one large batch: each is weighted by the `count` of its loss, or equally without
 * `count`.
 *
 * All tensors of the step except its loss are freed at its end.
 *
 * @returns `(params, state, batches) => loss`, the mean over the batches before the update, as a tensor `[]`.
 *
 * @example
 * ```ts
 * import { mul, sub, sum, tensor } from "@qkv/tensor";
 * import { sgd } from "@qkv/tensor/optimizers";
 * import { trainStep } from "@qkv/transformer/training";
 *
 * const optimizer = sgd({ learningRate: 0.25 });
 * const loss = (params: { w: ReturnType<typeof tensor> }, goal: number) => {
 *   const error = sub(params.w, goal);
 *   return sum(mul(error, error));
 * };
 * const params = { w: tensor([1]) };
 * const step = trainStep({ loss, optimizer });
 * step(params, optimizer.init(params), [3, 5]).toNested(); // => 10
 * params.w.toNested(); // => [2.5]
 * ```
 */
export function trainStep<P, B = Batch>(options: Training<P, B>) {
  const step = measuredStep(options);
  return (params: P, state: OptimizerState<P>, batches: readonly B[]): Tensor =>
    step(params, state, batches).loss;
}

/** Measures of a step, each a tensor `[]`: the mean loss, and the norm of the gradients before they were clipped. */
export type StepMeasures = { readonly loss: Tensor; readonly gradientNorm?: Tensor };

/** Creates a {@link trainStep} that also returns the gradient norm if gradients are clipped. */
export function measuredStep<P, B>(options: Training<P, B>) {
  const { loss, optimizer, maxNorm } = check.options(options, ["loss", "optimizer", "maxNorm"]);
  check.type({ loss }, "function");
  check.each({ optimizer }, isOptimizer, "an optimizer, with init and update", "write `adamW({ … })`.");
  if (maxNorm !== undefined) check.finite({ maxNorm }, { above: 0 });
  const lossAndGradients = valueAndGrad<P, [B, number]>(loss);
  return (params: P, state: OptimizerState<P>, batches: readonly B[]): StepMeasures => {
    const device = tensorsOf(params)[0]?.device;
    if (!device || batches.length === 0) {
      const [argument, expected] = device
        ? ["batches", "one batch or more"]
        : ["params", "tensors in objects and lists"];
      const fix = "a step learns from batches, and changes params.";
      check.refuse({
        argument: argument!,
        received: "empty",
        expected: expected!,
        fix,
      });
    }
    // A generator, so that the memory of one backward pass is freed before the next.
    const batchGradients = function* (): Generator<BatchGradients<P>> {
      const first = state.step * batches.length;
      for (const [i, batch] of batches.entries()) {
        const count = loss.count?.(batch) ?? 1;
        if (count !== 0) yield [...lossAndGradients(params, batch, first + i), count];
      }
    };
    return updateFrom(batchGradients(), params, state, options);
  };
}

/**
 * Updates params and optimizer state by the mean of losses and gradients, weighted by their counts, in one scope of the device. They are
 * added in the order of the batches, so that the result does not depend on where they were computed.
 *
 * @returns The mean loss; with `maxNorm` the norm before clipping, too.
 */
export function updateFrom<P>(
  parts: Iterable<BatchGradients<P>>,
  params: P,
  state: OptimizerState<P>,
  { optimizer, maxNorm }: { optimizer: Optimizer; maxNorm?: number },
): StepMeasures {
  return tensorsOf(params)[0]!.device.scope(() => {
    let sums: readonly [total: Tensor, gradients: P] | undefined;
    // Weights are relative to the first batch: those of equal counts are 1.
    let [first, total] = [0, 0];
    for (const [loss, gradients, count = 1] of parts) {
      check.finite({ "loss.count(batch)": count }, { min: 0 });
      if (count === 0) continue;
      total += count;
      if (sums) {
        const added = scaled([loss, gradients], count / first);
        sums = [add(sums[0], added[0]), addTrees(sums[1], added[1])];
      } else [sums, first] = [[loss, gradients], count];
    }
    if (!sums) {
      const fix = "check the examples: a chat template, or a mask of answers, may leave nothing to learn.";
      return check.refuse({
        argument: "batches",
        received: "no targets",
        expected: "one target or more",
        fix,
      });
    }
    const [mean, gradients] = scaled(sums, first / total);
    if (maxNorm === undefined) {
      optimizer.update(params, gradients, state);
      return { loss: mean };
    }
    const clipped = clipGradients(gradients, maxNorm);
    optimizer.update(params, clipped.gradients, state);
    return { loss: mean, gradientNorm: clipped.norm };
  });
}

const scaled = <P>([loss, gradients]: readonly [Tensor, P], factor: number): readonly [Tensor, P] =>
  factor === 1 ? [loss, gradients] : [mul(loss, factor), mapTensors(gradients, (x) => mul(x, factor))];

function addTrees<P>(a: P, b: P): P {
  const others = tensorsOf(b);
  let index = 0;
  return mapTensors(a, (x) => add(x, others[index++]!));
}

const check: Checks = /* @__PURE__ */ checks("trainStep");
/** True for an optimizer. */
export const isOptimizer = (value: unknown): boolean => {
  const { init, update } = (value ?? {}) as {
    init?: unknown;
    update?: unknown;
  };
  return typeof init === "function" && typeof update === "function";
};
