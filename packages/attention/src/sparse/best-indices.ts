import { equal, pad, topK, where, type Tensor } from "@qkv/tensor";

/** Indices of the `count` largest finite scores or +∞ of the last axis, int32; −1 where a score is −∞ or missing. */
export function bestIndices(scores: Tensor, count: number): Tensor {
  const length = scores.shape.at(-1)!;
  const { values, indices } = topK(scores, Math.min(count, length));
  const chosen = where(equal(values, -Infinity), -1, indices);
  return count > length ? pad(chosen, -1, 0, count - length, -1) : chosen;
}
