import type { Checks } from "@qkv/core";
import { isTensor, type Tensor } from "@qkv/tensor";
import type { Batch } from "./batch.js";

/** Loss of a batch, for `train` and `trainStep`. */
export type BatchLoss<P, B = Batch> = {
  /**
   * The mean loss of the batch, a scalar. `number`: index of the batch in the run, from which the dropout seed is derived; undefined in
   * evaluation, which has no dropout.
   */
  (params: P, batch: B, number?: number): Tensor;
  /**
   * Number of terms in the mean, such as targets. With gradient accumulation, batches are weighted by it, so that the loss
   * is the mean over all terms, as for one large batch. Without it, batches have equal weights.
   */
  count?(batch: B): number;
};

/** Returns a function that counts the targets of a batch that are not ignored. */
export const targetCount =
  (check: Checks) =>
  (batch: Batch): number =>
    checkBatch(check, batch).targets.data.filter((target) => target >= 0).length;

/** Refuses a value that is not a batch, such as a promise. */
export function checkBatch<B extends Batch>(check: Checks, batch: B): B {
  const isBatch = (value: unknown) => {
    const { ids, targets } = (value ?? {}) as Partial<Batch>;
    return isTensor(ids) && isTensor(targets);
  };
  const fix =
    'give batches of `nextTokenBatches`, or your own: `{ ids: tensor(ids, { dtype: "int32" }), targets: tensor(targets, { dtype: "int32" }) }`.';
  check.each({ batch }, isBatch, "a batch: the tensors ids and targets", fix);
  return batch;
}
