import { sigmoid } from "@qkv/tensor";
import type { ScoreForm } from "../score-form.js";

/**
 * Sigmoid attention: each weight is the sigmoid of its own score, and a row need not sum to 1. No key competes with
 * another: dropping one removes its term and leaves all others.
 *
 * Give a bias of about `−ln S` (the paper's initialisation), or a row of S keys starts with a sum of S / 2.
 *
 * @returns A form for {@link plainAttention}.
 * @see "Theory, Analysis, and Best Practices for Sigmoid Self-Attention" (2024), arXiv:2409.04431
 *
 * @example
 * ```ts
 * import { plainAttention, sigmoidWeights } from "@qkv/attention";
 * import { zeros } from "@qkv/tensor";
 *
 * const x = zeros([1, 1, 2, 4]); // [B, H, T, D]: every score is 0
 * plainAttention(x, x, x, { forms: [sigmoidWeights()] }).weights.toNested(); // => [[[[0.5, 0.5], [0.5, 0.5]]]]
 * ```
 */
export function sigmoidWeights(): ScoreForm {
  return { name: "sigmoidWeights()", normalize: (scores) => sigmoid(scores) };
}
