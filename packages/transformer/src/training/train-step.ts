import { checks, type Checks } from "@qkv/core";
import { add, mapTensors, mul, tensorsOf, valueAndGrad, type Tensor } from "@qkv/tensor";
import { clipGradients, type Optimizer, type OptimizerState } from "@qkv/tensor/optimizers";
import type { Batch } from "./batch.js";

/** Loss, optimizer and gradient clipping of training. */
export type Training<P, B = Batch> = {
  /**
   * Loss of a batch: a scalar, the mean over the batch. `number`: of the batch in the run, from 0, which dropout takes its seed
   * from; undefined in evaluation, where nothing is dropped.
   */
  loss(params: P, batch: B, number?: number): Tensor;
  optimizer: Optimizer;
  /** Clips gradients to this norm. Default: no clipping. */
  maxNorm?: number;
};

/**
 * Performs one training step: computes the gradient of the mean loss over the batches and updates params and optimizer
 * state in place. Several batches of equal size give the gradient of one large batch.
 *
 * The step is one scope of the device: all but its loss is freed.
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
 *   const miss = sub(params.w, goal);
 *   return sum(mul(miss, miss));
 * };
 * const params = { w: tensor([1]) };
 * const step = trainStep({ loss, optimizer });
 * step(params, optimizer.init(params), [3, 5]).toNested(); // => 10
 * params.w.toNested(); // => [2.5]
 * ```
 */
export function trainStep<P, B = Batch>(options: Training<P, B>) {
  const { loss, optimizer, maxNorm } = check.options(options, ["loss", "optimizer", "maxNorm"]);
  check.type({ loss }, "function");
  check.each({ optimizer }, isOptimizer, "an optimizer, with init and update", "write `adamW({ … })`.");
  if (maxNorm !== undefined) check.finite({ maxNorm }, { above: 0 });
  const both = valueAndGrad<P, [B, number]>(loss);
  return (params: P, state: OptimizerState<P>, batches: readonly B[]): Tensor => {
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
    // One batch after the other: what backward of one needs is free for the next.
    const parts = function* () {
      const first = state.step * batches.length;
      for (const [i, batch] of batches.entries()) yield both(params, batch, first + i);
    };
    return updateFrom(parts(), params, state, options);
  };
}

/**
 * Updates params and optimizer state by the mean of losses and gradients, in one scope of the device. They are added in their order,
 * so that it does not matter where they were computed.
 *
 * @returns The mean loss.
 */
export function updateFrom<P>(
  parts: Iterable<readonly [loss: Tensor, gradients: P]>,
  params: P,
  state: OptimizerState<P>,
  { optimizer, maxNorm }: { optimizer: Optimizer; maxNorm?: number },
): Tensor {
  return tensorsOf(params)[0]!.device.scope(() => {
    let sums: readonly [total: Tensor, gradients: P] | undefined;
    let count = 0;
    for (const part of parts) {
      sums = sums ? [add(sums[0], part[0]), addTrees(sums[1], part[1])] : part;
      count += 1;
    }
    let [total, gradients] = sums!;
    if (count > 1) {
      total = mul(total, 1 / count);
      gradients = mapTensors(gradients, (x) => mul(x, 1 / count));
    }
    const clipped = maxNorm === undefined ? gradients : clipGradients(gradients, maxNorm).gradients;
    optimizer.update(params, clipped, state);
    return total;
  });
}

function addTrees<P>(a: P, b: P): P {
  const others = tensorsOf(b);
  let at = 0;
  return mapTensors(a, (x) => add(x, others[at++]!));
}

const check: Checks = /* @__PURE__ */ checks("trainStep");
const isOptimizer = (value: unknown): boolean => {
  const { init, update } = (value ?? {}) as {
    init?: unknown;
    update?: unknown;
  };
  return typeof init === "function" && typeof update === "function";
};
