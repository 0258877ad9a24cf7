import { full, type Tensor } from "@qkv/tensor";

/** Axes of a token count in a state: one number per sequence, so that a cache of states can hold it. */
export const tokenCountAxes = "B";

/** A tensor `[B]` with the same token count for every sequence, with the dtype and device of a tensor `[B, …]`. */
export function tokenCount({ shape, dtype, device }: Tensor, tokens: number): Tensor {
  return full([shape[0]!], tokens, { dtype, device });
}

/** The token count, which must be the same for all sequences. */
export const sharedCount = (tokens: Tensor): number => Number(tokens.data[0]);
