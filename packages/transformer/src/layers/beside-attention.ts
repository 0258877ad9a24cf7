import type { AttentionParams } from "@qkv/attention";
import { add, splitSeed } from "@qkv/tensor";
import type { SequenceLayer, SequenceLayerOptions } from "./transformer-layer.js";

/** Weights of attention, and of the mixer beside it. */
export type BesideAttentionParams = AttentionParams & { readonly mixer: object };

/**
 * Attention and a mixer beside each other, of the same rows: the sum of what both give, as in Falcon-H1. Attention fills
 * one layer of a cache, the mixer the next one.
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
      const { documents, padding, mask, bias, dropoutSeed, trace, layer = 0, ...both } = options;
      const attended = attention.apply(params, x, {
        ...both,
        layer,
        ...(mask && { mask }),
        ...(bias && { bias }),
        ...(dropoutSeed !== undefined && { dropoutSeed }),
        ...(trace && { trace }),
      });
      const mixed = mixer.apply(params.mixer, x, {
        ...both,
        layer: layer + 1,
        ...(documents && { documents }),
        ...(padding && { padding }),
      });
      return add(attended, mixed);
    },
  };
}
