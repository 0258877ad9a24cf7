import type { Tensor } from "@qkv/tensor";
import type { Batch } from "./batch.js";

/** Losses and gradients that are computed elsewhere, as in workers: what `train` takes in place of a loss function. */
export type GradientSource<P, B = Batch> = {
  /** Loss and gradients of each batch, in the order of the batches, on the device of the params. */
  gradients(params: P, batches: readonly B[]): Promise<readonly (readonly [loss: Tensor, gradients: P])[]>;
};

export const isGradientSource = <P, B>(value: unknown): value is GradientSource<P, B> =>
  typeof (value as GradientSource<P, B> | null | undefined)?.gradients === "function";
