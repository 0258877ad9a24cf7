import { attention, scoreMod } from "@qkv/attention";
import { defineOperator } from "../operator.js";
import { graphExpression } from "./flex-graph.js";
import { joinHeads } from "./heads.js";

/**
 * FlexAttention of ai.onnx.preview: attention whose scores and weights are changed by graphs. The graphs become
 * expressions, which run tile by tile.
 */
export const flexAttentionOperator = defineOperator({
  name: "FlexAttention",
  domain: "ai.onnx.preview",
  inputs: ["Q", "K", "V"],
  attributes: {
    scale: undefined as number | undefined,
    score_mod: undefined as unknown,
    prob_mod: undefined as unknown,
    softmax_precision: undefined as number | undefined,
  },
  run({ inputs: { Q, K, V }, attributes: { scale, score_mod, prob_mod } }) {
    const [B, H, T] = Q.shape as [number, number, number];
    const sizes = { B, H, T, S: K.shape[2]! };
    const dtype = Q.dtype === "float64" ? "float64" : "float32";
    const options = {
      ...(scale !== undefined && { scale }),
      ...(score_mod !== undefined && {
        scoreMod: scoreMod(graphExpression(score_mod, sizes, dtype, Q.device), "score_mod"),
      }),
      ...(prob_mod !== undefined && {
        weightMod: scoreMod(graphExpression(prob_mod, sizes, dtype, Q.device), "prob_mod"),
      }),
    };
    return [joinHeads(attention(Q, K, V, options), Q)];
  },
});
