import type { Tensor } from "@qkv/tensor";
import type { Batch } from "./batch.js";

/** Loss of a batch and its gradients. `count`: terms that the loss is a mean over, as of {@link BatchLoss}. */
export type BatchGradients<P> = readonly [loss: Tensor, gradients: P, count?: number];

/** Losses and gradients that are computed elsewhere, as in workers: what `train` takes in place of a loss function. */
export type GradientSource<P, B = Batch> = {
  /**
   * Loss and gradients of each batch, in the order of the batches, on the device of the params.
   *
   * @param first - Number of the first batch in the run, from 0, which dropout takes its seed from. Undefined: nothing is dropped.
   */
  gradients(params: P, batches: readonly B[], first?: number): Promise<readonly BatchGradients<P>[]>;
};

export const isGradientSource = <P, B>(value: unknown): value is GradientSource<P, B> =>
  typeof (value as GradientSource<P, B> | null | undefined)?.gradients === "function";
