import { checks } from "@qkv/core";
import { checkTensor, einsum, type Tensor } from "@qkv/tensor";
import type { ScoreForm } from "../score-form.js";
import { checkShape } from "./check-shape.js";

/**
 * Talking heads: head `g` reads a learned mixture of all heads' scores, `Σ_h mixture[g, h] · scores_h`, or of all
 * heads' weights after softmax. Two forms give both. Costs `H² · T · S` multiplications a stage.
 *
 * @param mixture - `[H, H]`, row g for the head that reads; the identity changes nothing. Gradients flow to it.
 * @param stage - `scores`: before softmax; `weights`: after it. Default `scores`.
 * @returns A form for {@link plainAttention}.
 * @throws {ShapeError} If the mixture is not `[H, H]`. {@link ArgumentError} If there is no such stage.
 * @see "Talking-Heads Attention" (2020), arXiv:2003.02436
 *
 * @example
 * ```ts
 * import { plainAttention, talkingHeads } from "@qkv/attention";
 * import { randn, tensor } from "@qkv/tensor";
 *
 * const x = randn([1, 2, 3, 4], { seed: 1 }); // [B, H, T, D]
 * const swap = tensor([[0, 1], [1, 0]]); // each head reads the other's weights
 * const own = plainAttention(x, x, x).weights;
 * const { weights } = plainAttention(x, x, x, { forms: [talkingHeads(swap)] });
 * weights.data[0] === own.data[9]; // => true
 * ```
 */
export function talkingHeads(mixture: Tensor, stage: "scores" | "weights" = "scores"): ScoreForm {
  const { shape } = checkTensor("talkingHeads", "mixture", mixture);
  const fix = "give a row of numbers, one for each head that is read, for each query head.";
  const H = shape[0] ?? 0;
  checkShape("talkingHeads", "mixture", mixture, "[H, H]", [H, H], fix);
  checks("talkingHeads").oneOf({ stage }, ["scores", "weights"], "mix before or after softmax.");
  const mix = (x: Tensor) => {
    const heads = x.shape[1]!;
    checkShape("talkingHeads", "mixture", mixture, "[H, H]", [heads, heads], fix);
    return einsum("gh,bhts->bgts", mixture, x);
  };
  return { name: `talkingHeads([${shape.join(", ")}], "${stage}")`, [stage]: mix };
}
