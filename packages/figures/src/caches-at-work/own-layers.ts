import { causal, gatedDeltaRule, latent, mixerLayer, rope } from "@qkv/attention";
import type { KvCache } from "@qkv/kv-cache";
import { concat, randn, type Tensor } from "@qkv/tensor";
import type { Model } from "@qkv/transformer";

/** Runs token ids through layers that write to a cache. */
export type RunLayers = (ids: readonly number[], cache: KvCache) => void;

type Layer<Params> = {
  init(seed: number): Params;
  apply(params: Params, x: Tensor, options: { cache: KvCache; layer: number }): Tensor;
};

/** Layers of latent attention (MLA) with random weights, as many as the model has. */
export function latentLayers({ config: { embedDim, numHeads, numLayers } }: Model): RunLayers {
  const headDim = embedDim / numHeads;
  const sizes = { embedDim, numHeads, kvRank: 64, nopeDim: headDim, ropeDim: 16, valueDim: headDim };
  const rotary = rope({ headDim: 16, layout: "interleaved" });
  return stack(embedDim, numLayers, latent({ ...sizes, rope: rotary, mask: causal() }));
}

/** Layers of the gated delta rule with random weights, as many as the model has. */
export function stateLayers({ config: { embedDim, numLayers } }: Model): RunLayers {
  const sizes = { embedDim, numHeads: 4, keyDim: 16, valueDim: 16 };
  return stack(embedDim, numLayers, mixerLayer({ ...sizes, mixer: gatedDeltaRule() }));
}

function stack<Params>(embedDim: number, numLayers: number, layer: Layer<Params>): RunLayers {
  const params = Array.from({ length: numLayers }, (_, i) => layer.init(i + 1));
  return (ids, cache) => {
    const rows = ids.map((id) => randn([1, 1, embedDim], { seed: id }));
    params.reduce((x, own, i) => layer.apply(own, x, { cache, layer: i }), concat(rows, 1));
  };
}
