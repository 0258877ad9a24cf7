import { checks } from "@qkv/core";
import { zeros, type Tensor } from "@qkv/tensor";

/** Attention sinks of a layer: one logit per query head, added to the denominator of the softmax only. */
export type Sinks = {
  /** The call that created them: `learnedSinks()`. */
  readonly name: string;
  /** Returns the initial learned logits, `[H]`; undefined if nothing is learned. */
  init(numHeads: number): Tensor | undefined;
  /** Returns the logits, `[H]`, with the dtype and device of the query. */
  logits(learned: Tensor | undefined, query: Tensor): Tensor;
};

/**
 * Learned attention sinks: one logit per head that is added to the softmax denominator and has no value. The weights of a head can
 * then sum to less than 1, which they do if no key matches.
 *
 * With a logit b, the output is `o · σ(lse − b)`, where o and lse are the results without sinks. Costs one exponential per query and
 * head. The initial logits are 0, which equals {@link softmaxOne}.
 *
 * @see "gpt-oss-120b & gpt-oss-20b Model Card" (2025), arXiv:2508.10925
 *
 * @example
 * ```ts
 * import { learnedSinks, multiHead } from "@qkv/attention";
 *
 * multiHead({ embedDim: 8, numHeads: 2, sinks: learnedSinks() }).init(1).sinks?.toNested(); // => [0, 0]
 * ```
 */
export function learnedSinks(): Sinks {
  return {
    name: "learnedSinks()",
    init: (numHeads) => zeros([numHeads]),
    logits(learned) {
      if (learned) return learned;
      return checks("learnedSinks").refuse({
        argument: "params.sinks",
        received: learned,
        expected: "a tensor [H], one logit for each query head",
        fix: "take the params of `layer.init(seed)`, or load the logits with the other weights.",
      });
    },
  };
}
