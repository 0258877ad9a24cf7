import type { Tensor } from "@qkv/tensor";
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

/** Targets of a batch that are not ignored. */
export const targetCount = ({ targets }: Batch): number =>
  targets.data.filter((target) => target >= 0).length;
