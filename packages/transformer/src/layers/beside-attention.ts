import type { AttentionParams } from "@qkv/attention";
import { add, splitSeed } from "@qkv/tensor";
import type { SequenceLayer, SequenceLayerOptions } from "./transformer-layer.js";

/** Params of attention, and of the parallel mixer. */
export type BesideAttentionParams = AttentionParams & { readonly mixer: object };

/**
 * Attention and a mixer in parallel on the same input, whose outputs are added, as in Falcon-H1. Attention uses
 * one layer of the cache, the mixer the next.
 */
export function besideAttention(
  attention: SequenceLayer,
  mixer: SequenceLayer<object>,
): SequenceLayer<BesideAttentionParams> {
  return {
    init(seed) {
      const seeds = splitSeed(seed, ["attention", "mixer"]);
      return { ...attention.init(seeds.attention), mixer: mixer.init(seeds.mixer) };
    },
    apply(params, x, options: SequenceLayerOptions = {}) {
      const { documents, padding, mask, bias, dropoutSeed, trace, layer = 0, ...sharedOptions } = options;
      const attentionOutput = attention.apply(params, x, {
        ...sharedOptions,
        layer,
        ...(mask && { mask }),
        ...(bias && { bias }),
        ...(dropoutSeed !== undefined && { dropoutSeed }),
        ...(trace && { trace }),
      });
      const mixerOutput = mixer.apply(params.mixer, x, {
        ...sharedOptions,
        layer: layer + 1,
        ...(documents && { documents }),
        ...(padding && { padding }),
      });
      return add(attentionOutput, mixerOutput);
    },
  };
}
