import { mul, ones, type Tensor } from "@qkv/tensor";
import type { FeedForward, FeedForwardParams } from "./feed-forward.js";
import type { SequenceLayer, TokenLayer } from "./transformer-layer.js";
import type { AttentionParams } from "@qkv/attention";

/** Params of a layer, and LayerScale factors of its output, `[C]`. */
export type LayerScaled<Params> = Params & { layerScale?: Tensor };

/**
 * Attention with LayerScale: its output is multiplied elementwise by learned factors before the residual addition (DINOv2).
 *
 * @see "Going deeper with Image Transformers" (2021), arXiv:2103.17239, section 2.1
 */
export function scaledAttention(
  layer: SequenceLayer<AttentionParams>,
  embedDim: number,
): SequenceLayer<LayerScaled<AttentionParams>> {
  return {
    init: (seed) => ({ ...layer.init(seed), layerScale: ones([embedDim]) }),
    apply: ({ layerScale, ...params }, x, options) => mul(layer.apply(params, x, options), layerScale!),
  };
}

/** A feed-forward layer with LayerScale. */
export function scaledFeedForward(
  layer: FeedForward,
  embedDim: number,
): TokenLayer<LayerScaled<FeedForwardParams>> {
  return {
    init: (seed) => ({ ...layer.init(seed), layerScale: ones([embedDim]) }),
    apply: ({ layerScale, ...params }, x) => mul(layer.apply(params, x), layerScale!),
  };
}
