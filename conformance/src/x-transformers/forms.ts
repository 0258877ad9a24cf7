import { cope, talkingHeads, type ScoreForm } from "@qkv/attention";
import {
  abs,
  add,
  arange,
  cast,
  div,
  einsum,
  equal,
  maximum,
  mul,
  reshape,
  sign,
  softmax,
  stopGradient,
  sub,
  sum,
  type Tensor,
} from "@qkv/tensor";

// Stages of attention that are specific to x-transformers.

/** `[H, H, 1, 1]` of a convolution to `[H, H]`. */
const square = (mixture: Tensor) => reshape(mixture, mixture.shape.slice(0, 2));

/** Scores of each head plus a linear combination of all heads' scores. */
export function addedTalkingHeads(mixture: Tensor): ScoreForm {
  const own = square(mixture);
  const { dtype, device } = own;
  const index = arange(own.shape[0]!, { dtype, device });
  return talkingHeads(add(own, cast(equal(reshape(index, [-1, 1]), index), dtype)));
}

/** A linear combination of all heads' weights. */
export const postTalkingHeads = (mixture: Tensor): ScoreForm => talkingHeads(square(mixture), "weights");

/** Weights times a linear combination of all heads' scores. */
export function scoresScaleWeights(mixture: Tensor): ScoreForm {
  let mixed: Tensor | undefined;
  return {
    name: "pre_scale_post_talking_heads",
    scores(scores) {
      mixed = einsum("gh,bhts->bgts", square(mixture), scores);
      return scores;
    },
    weights: (weights) => mul(weights, mixed!),
  };
}

/** CoPE with gates from linear combinations of heads. */
export function talkingCope(table: Tensor, mixture: Tensor): ScoreForm {
  const form = cope(table);
  return {
    name: "cope_talking_heads",
    scores(scores, call) {
      const mixed = einsum("gh,bhts->bgts", square(mixture), scores);
      return add(scores, sub(form.scores!(mixed, call), mixed));
    },
  };
}

/** Softmax of absolute scores, with the scores' signs restored. */
export function cogSigned(): ScoreForm {
  let signs: Tensor | undefined;
  return {
    name: "cog_signed",
    scores(scores) {
      signs = sign(stopGradient(scores));
      return abs(scores);
    },
    weights: (weights) => mul(weights, signs!),
  };
}

/** Softmax over queries, then each query's weights divided by their sum. */
export function inverted(): ScoreForm {
  return {
    name: "inverted_attention",
    normalize(scores) {
      const claimed = softmax(scores, { axis: 2 });
      return div(claimed, maximum(sum(claimed, { axis: 3, keepDims: true }), 1e-8));
    },
  };
}

/** Adds scores of an earlier layer, −∞ where masked. */
export const plusScores = (earlier: Tensor): ScoreForm => ({
  name: "residual_attn",
  scores: (scores) => add(scores, earlier),
});
