import type { Checks } from "@qkv/core";
import { isTensor, type Tensor } from "@qkv/tensor";
import type { Batch } from "./batch.js";

/** Loss of a batch, for `train` and `trainStep`. */
export type BatchLoss<P, B = Batch> = {
  /**
   * A scalar, the mean over the batch. `number`: of the batch in the run, from 0, which dropout takes its seed from; undefined in
   * evaluation, where nothing is dropped.
   */
  (params: P, batch: B, number?: number): Tensor;
  /**
   * Terms that the loss of a batch is a mean over, such as its targets. Batches that are accumulated are weighted by it, so that their loss
   * is the mean over all terms, as if they were one batch. Without it they count alike.
   */
  count?(batch: B): number;
};

/** Counts the targets of a batch that are not ignored, for a function that refuses what is no batch. */
export const targetCount =
  (check: Checks) =>
  (batch: Batch): number =>
    checkBatch(check, batch).targets.data.filter((target) => target >= 0).length;

/** Refuses what is no batch, such as a promise of one. */
export function checkBatch<B extends Batch>(check: Checks, batch: B): B {
  const isBatch = (value: unknown) => {
    const { ids, targets } = (value ?? {}) as Partial<Batch>;
    return isTensor(ids) && isTensor(targets);
  };
  const fix = "give batches of `nextTokenBatches`, or `{ ids, targets }` of your own.";
  check.each({ batch }, isBatch, "a batch: the tensors ids and targets", fix);
  return batch;
}
