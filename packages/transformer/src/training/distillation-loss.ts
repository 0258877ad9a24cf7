import { checks, type Checks } from "@qkv/core";
import {
  add,
  cast,
  crossEntropy,
  div,
  greaterEqual,
  logSoftmax,
  mul,
  stopGradient,
  sum,
  where,
  type Tensor,
} from "@qkv/tensor";
import { klDivergence } from "@qkv/tensor/losses";
import type { Batch } from "./batch.js";
import { checkBatch, targetCount, type BatchLoss } from "./batch-loss.js";
import { batchLogits, checkTokenModel, batchSeed, type TokenModel } from "./losses.js";

/** Options of distillation. */
export type DistillationLossOptions<B extends Batch> = {
  /** The teacher's logits for a batch, `[B, T, V]`: computed, or read from a file. No gradient flows into them. */
  teacher(batch: B): Tensor;
  /** Divides the logits of both, so that unlikely tokens count more. Default 2. */
  temperature?: number;
  /** Weight of the distillation term, from 0 to 1; the rest is the cross-entropy of the targets. Default 0.5. */
  weight?: number;
  /** Seed of the student's dropout, as in `tokenLoss`. Default 0. */
  dropoutSeed?: number;
};

/**
 * Knowledge distillation: a student learns the token probabilities of a teacher in addition to the targets.
 * `weight · τ² KL(teacher ‖ student) + (1 − weight) · cross-entropy`, the mean over targets; both distributions of the first term
 * are at the temperature τ, whose square makes its gradient as large as that of the second.
 *
 * @param model - The student model.
 * @returns `(params, batch) => loss`, for `train`.
 * @see "Distilling the Knowledge in a Neural Network" (2015), arXiv:1503.02531
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@qkv/tensor";
 * import { distillationLoss } from "@qkv/transformer/training";
 *
 * const batch = { ids: tensor([[0]], { dtype: "int32" }), targets: tensor([[1]], { dtype: "int32" }) };
 * const uniform = { apply: () => zeros([1, 1, 2]) };
 * const loss = distillationLoss(uniform, { teacher: () => zeros([1, 1, 2]), weight: 1 });
 * loss({}, batch).toNested(); // => 0
 * ```
 */
export function distillationLoss<P, B extends Batch = Batch>(
  model: TokenModel<P>,
  options: DistillationLossOptions<B>,
): BatchLoss<P, B> {
  const check: Checks = checks("distillationLoss");
  const {
    teacher,
    temperature = 2,
    weight = 0.5,
    dropoutSeed = 0,
  } = check.options(options, ["teacher", "temperature", "weight", "dropoutSeed"]);
  checkTokenModel(check, model);
  check.type({ teacher }, "function");
  check.finite({ temperature }, { above: 0 });
  check.finite({ weight }, { min: 0, max: 1 });
  check.whole({ dropoutSeed });
  const loss = (params: P, batch: B, number?: number) => {
    const { targets } = checkBatch(check, batch);
    const logits = batchLogits(model, params, batch, batchSeed(dropoutSeed, number));
    const atTemperature = (x: Tensor) => logSoftmax(div(x, temperature));
    const teacherLogProbs = atTemperature(stopGradient(teacher(batch)));
    const perClass = klDivergence(atTemperature(logits), teacherLogProbs, {
      logTarget: true,
      reduction: "none",
    });
    const isTarget = greaterEqual(targets, 0); // [B, T]
    const divergence = where(isTarget, sum(perClass, { axis: -1 }), 0);
    const count = sum(cast(isTarget, perClass.dtype));
    const soft = mul(div(sum(divergence), count), weight * temperature ** 2);
    return weight === 1 ? soft : add(soft, mul(crossEntropy(logits, targets), 1 - weight));
  };
  return Object.assign(loss, { count: targetCount(check) });
}
