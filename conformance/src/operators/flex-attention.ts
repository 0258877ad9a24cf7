import { attention, scoreMod } from "@qkv/attention";
import {
  broadcastTo,
  equal,
  matmul,
  max,
  mul,
  reshape,
  softmax,
  tensor,
  transpose,
  where,
  type Tensor,
} from "@qkv/tensor";
import { defineOperator } from "../operator.js";
import { graphExpression, graphNumbers, NotAnExpression, type Sizes } from "./flex-graph.js";

/**
 * FlexAttention of ai.onnx.preview: attention whose scores and weights are changed by graphs. The graphs become
 * expressions, which run tile by tile; one that no expression can hold, for it looks along a row or moves scores
 * about, is given all scores at once.
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
  async run({ inputs: { Q, K, V }, attributes: { scale, score_mod, prob_mod } }) {
    const [B, H, T] = Q.shape as [number, number, number];
    const sizes = { B, H, T, S: K.shape[2]! };
    const dtype = Q.dtype === "float64" ? "float64" : "float32";
    try {
      const options = {
        ...(scale !== undefined && { scale }),
        ...(score_mod !== undefined && {
          scoreMod: scoreMod(graphExpression(score_mod, sizes, dtype, Q.device), "score_mod"),
        }),
        ...(prob_mod !== undefined && {
          weightMod: scoreMod(graphExpression(prob_mod, sizes, dtype, Q.device), "prob_mod"),
        }),
      };
      return [attention(Q, K, V, options)];
    } catch (error) {
      if (!(error instanceof NotAnExpression)) throw error;
    }
    const scores = mul(matmul(Q, transpose(forEachHead(K, H))), scale ?? 1 / Math.sqrt(Q.shape[3]!));
    const changed = await applied(score_mod, scores, sizes);
    // A row of −∞ sees nothing, and has weights of 0.
    const nothing = equal(max(changed, { axis: -1, keepDims: true }), -Infinity);
    const weights = where(nothing, 0, softmax(where(nothing, 0, changed)));
    return [matmul(await applied(prob_mod, weights, sizes), forEachHead(V, H))];
  },
});

async function applied(graph: unknown, x: Tensor, sizes: Sizes): Promise<Tensor> {
  if (graph === undefined) return x;
  const { shape, dtype, device } = x;
  return tensor(graphNumbers(graph, sizes, [...(await x.read())]), { shape, dtype, device });
}

/** [B, Hkv, S, D] to [B, H, S, D]: a key-value head for each query head of its group. */
function forEachHead(x: Tensor, numHeads: number): Tensor {
  const [B, G, S, D] = x.shape as [number, number, number, number];
  const repeated = broadcastTo(reshape(x, [B, G, 1, S, D]), [B, G, numHeads / G, S, D]);
  return reshape(repeated, [B, numHeads, S, D]);
}
