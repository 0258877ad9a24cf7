import type { Tensor } from "@qkv/tensor";

/** What one step learns from: token ids and what a model should say at each place. */
export type Batch = {
  /** int32 `[B, T]` */
  readonly ids: Tensor;
  /** int32 `[B, T]`; -100 where nothing is asked. */
  readonly targets: Tensor;
};

/**
 * The batch of a step, counted from 0. The same step gives the same batch, so that a run that was stopped goes on as if
 * it had not been.
 */
export type BatchAt = (step: number) => Batch;
