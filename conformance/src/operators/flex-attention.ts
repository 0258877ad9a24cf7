import { attention, scoreMod } from "@qkv/attention";
import { defineOperator } from "../operator.js";
import { graphExpression } from "./flex-graph.js";

/**
 * FlexAttention of ai.onnx.preview: attention whose scores and weights are modified by graphs. The graphs are translated to
 * expressions, which run tile by tile; a graph that cannot be translated is an error.
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
    const mod = (graph: unknown, name: string) =>
      scoreMod(graphExpression(graph, sizes, dtype, Q.device), name);
    const options = {
      ...(scale !== undefined && { scale }),
      ...(score_mod !== undefined && { scoreMod: mod(score_mod, "score_mod") }),
      ...(prob_mod !== undefined && { weightMod: mod(prob_mod, "prob_mod") }),
    };
    return [attention(Q, K, V, options)];
  },
});
