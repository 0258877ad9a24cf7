import type { Tensor } from "@qkv/tensor";
import type { Batch } from "./batch.js";

/** Loss of a batch and its gradients. `count`: number of terms in the mean, as in {@link BatchLoss}. */
export type BatchGradients<P> = readonly [loss: Tensor, gradients: P, count?: number];

/** Computes losses and gradients outside the current thread, such as in workers. `train` accepts it in place of a loss function. */
export type GradientSource<P, B = Batch> = {
  /**
   * Loss and gradients of each batch, in the order of the batches, on the device of the params.
   *
   * @param first - Index of the first batch in the run, from which dropout seeds are derived. Undefined: no dropout.
   */
  gradients(params: P, batches: readonly B[], first?: number): Promise<readonly BatchGradients<P>[]>;
};

/** True for a gradient source. */
export const isGradientSource = <P, B>(value: unknown): value is GradientSource<P, B> =>
  typeof (value as GradientSource<P, B> | null | undefined)?.gradients === "function";
