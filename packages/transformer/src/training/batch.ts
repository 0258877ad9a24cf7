import type { Tensor } from "@qkv/tensor";

/** A training batch: token ids and the target at each position. */
export type Batch = {
  /** int32 `[B, T]` */
  readonly ids: Tensor;
  /** int32 `[B, T]`; -100 is ignored. */
  readonly targets: Tensor;
};

/**
 * The batch of a step, counted from 0. The same step gives the same batch, so that a run that was stopped goes on as if
 * it had not been.
 */
export type BatchAt = (step: number) => Batch;
