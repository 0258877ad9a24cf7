import { crossAttention, type AttentionParams } from "@qkv/attention";
import { add, broadcastTo, randn, reshape, splitSeed, type Tensor } from "@qkv/tensor";
import { feedForward, type FeedForwardConfig, type FeedForwardParams } from "../layers/feed-forward.js";
import type { Norm, NormParams } from "../layers/norm.js";
import { attentionTrace, type ModelTrace } from "../layers/trace.js";

/** The weights of attention pooling. */
export type AttentionPoolingParams = {
  /** `[C]`: the learned query. */
  query: { weight: Tensor };
  attention: AttentionParams;
  norm: NormParams;
  feedForward: FeedForwardParams;
};

/** Attention pooling: one vector per sequence. */
export type AttentionPooling = {
  init(seed: number): AttentionPoolingParams;
  /** `[B, T, C]` to `[B, C]`. */
  apply(params: AttentionPoolingParams, rows: Tensor, options: { trace?: ModelTrace }): Tensor;
};

/**
 * Attention pooling: a learned query attends to all rows, and a feed-forward layer follows (SigLIP's "MAP head").
 *
 * @see "Scaling Vision Transformers" (2021), arXiv:2106.04560, section 3.2
 */
export function attentionPooling(
  config: Pick<FeedForwardConfig, "embedDim" | "hiddenDim" | "activation" | "linear"> & { numHeads: number },
  norm: Norm,
): AttentionPooling {
  const { numHeads, ...inner } = config;
  const { embedDim: C, linear: map } = config;
  const attend = crossAttention({ embedDim: C, numHeads, bias: true, ...(map && { linear: map }) });
  const feed = feedForward({ ...inner, gated: false, bias: true });
  return {
    init(seed) {
      const seeds = splitSeed(seed, ["query", "attention", "feedForward"]);
      return {
        query: { weight: randn([C], { seed: seeds.query }) },
        attention: attend.init(seeds.attention),
        norm: norm.init(),
        feedForward: feed.init(seeds.feedForward),
      };
    },
    apply(params, rows, { trace }) {
      const [B] = rows.shape as [number, number, number];
      const query = broadcastTo(reshape(params.query.weight, [1, 1, C]), [B, 1, C]);
      const poolingTrace = attentionTrace(trace, "pooling.attention");
      const x = attend.apply(params.attention, query, rows, poolingTrace && { trace: poolingTrace });
      return reshape(add(x, feed.apply(params.feedForward, norm.apply(params.norm, x))), [B, C]);
    },
  };
}
