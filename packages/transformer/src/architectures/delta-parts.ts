import { gatedDeltaRule, mixerLayer, type MixerLayer } from "@qkv/attention";
import { silu } from "@qkv/tensor";

type DeltaSizes = {
  embedDim: number;
  /** Heads of values. */
  heads: number;
  /** Heads of queries and keys. */
  groups: number;
  keyDim: number;
  valueDim: number;
  taps: number;
  normEps: number;
};

/** A mixer of the gated delta rule after a convolution, with a gate. */
export const deltaMixer = ({ heads, groups, taps, ...sizes }: DeltaSizes): MixerLayer =>
  mixerLayer({
    ...sizes,
    numHeads: heads,
    numKeyHeads: groups,
    convolution: taps,
    mixer: gatedDeltaRule(),
    outputGate: silu,
  }) as unknown as MixerLayer;
