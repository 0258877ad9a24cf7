import type { DocumentIds } from "@qkv/attention";
import type { Tensor } from "@qkv/tensor";

/** A training batch: token ids and the target at each position. */
export type Batch = {
  /** int32 `[B, T]` */
  readonly ids: Tensor;
  /** int32 `[B, T]`; -100 is ignored. */
  readonly targets: Tensor;
  /** Document of each token, `[T]` or `[B][T]`, where rows are packed: attention does not look from one into another. */
  readonly documents?: DocumentIds;
  /** Place of each token in its document, `[B · T]`. Default: its place in the row. */
  readonly positions?: Int32Array;
};

/**
 * The batch of a step, counted from 0. The same step gives the same batch, so that a run that was stopped goes on as if
 * it had not been.
 */
export type BatchAt = (step: number) => Batch;
