import { full, type Tensor } from "@qkv/tensor";

/** Axes of a count of tokens in a state: a number for each batch, so that a cache of states can hold it. */
export const tokenCountAxes = "B";

/** The same count for every batch: `[B]`, of the type and on the device of a tensor `[B, …]`. */
export function tokenCount({ shape, dtype, device }: Tensor, tokens: number): Tensor {
  return full([shape[0]!], tokens, { dtype, device });
}

/** The count that all batches share. */
export const sharedCount = (tokens: Tensor): number => Number(tokens.data[0]);
