import type { DocumentIds } from "@qkv/attention";
import type { Tensor } from "@qkv/tensor";

/** A training batch: token ids and the target at each position. */
export type Batch = {
  /** int32 `[B, T]` */
  readonly ids: Tensor;
  /** int32 `[B, T]`; -100 is ignored. */
  readonly targets: Tensor;
  /** Document of each token, `[T]` or `[B][T]`, for packed rows. Documents do not attend to each other. */
  readonly documents?: DocumentIds;
  /** Position of each token in its document, `[B · T]`. Default: its position in the row. */
  readonly positions?: Int32Array;
};

/**
 * Returns the batch of a step, from 0. The same step gives the same batch, so that a resumed run equals an
 * uninterrupted one.
 */
export type BatchAt = (step: number) => Batch;
