import { gatedDeltaRule, mixerLayer, type MixerLayer } from "@qkv/attention";
import { silu } from "@qkv/tensor";

type DeltaSizes = {
  embedDim: number;
  /** Number of value heads. */
  heads: number;
  /** Number of query and key heads. */
  groups: number;
  keyDim: number;
  valueDim: number;
  /** Kernel size of the short convolution. Unit: tokens. */
  taps: number;
  normEps: number;
};

/** A gated delta rule mixer (Gated DeltaNet) with a short convolution before it and an output gate. */
export const deltaMixer = ({ heads, groups, taps, ...sizes }: DeltaSizes): MixerLayer =>
  mixerLayer({
    ...sizes,
    numHeads: heads,
    numKeyHeads: groups,
    convolution: taps,
    mixer: gatedDeltaRule(),
    outputGate: silu,
  }) as unknown as MixerLayer;
