import { checks } from "@qkv/core";
import { crossEntropy, isTensor, neg, sum, type Tensor } from "@qkv/tensor";

/**
 * Log-probability of the targets of each row, summed: log p(answer | prompt), in nats.
 *
 * @param logits - `[B, T, V]`
 * @param targets - int32 `[B, T]`; -100 counts for nothing.
 * @returns `[B]`
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@qkv/tensor";
 * import { sequenceLogProbs } from "@qkv/transformer/training";
 *
 * const targets = tensor([[1, -100, 0]], { dtype: "int32" });
 * sequenceLogProbs(zeros([1, 3, 4]), targets).toNested(); // => [-2.7726]
 * ```
 */
export function sequenceLogProbs(logits: Tensor, targets: Tensor): Tensor {
  const check = checks("sequenceLogProbs");
  const fix = "give the logits of a model, and int32 targets: one for each row of logits.";
  check.each({ logits, targets }, isTensor, "a tensor", fix);
  return neg(sum(crossEntropy(logits, targets, { reduction: "none" }), { axis: -1 }));
}
