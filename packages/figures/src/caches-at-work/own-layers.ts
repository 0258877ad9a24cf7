import { causal, gatedDeltaRule, latent, mixerLayer, rope } from "@qkv/attention";
import type { KvCache } from "@qkv/kv-cache";
import { concat, randn, type Tensor } from "@qkv/tensor";
import type { Model } from "@qkv/transformer";

/** Sends ids through layers that write to a cache. */
export type RunLayers = (ids: readonly number[], cache: KvCache) => void;

type Layer<Params> = {
  init(seed: number): Params;
  apply(params: Params, x: Tensor, options: { cache: KvCache; layer: number }): Tensor;
};

/** Numbers of a latent and of its rotary key. */
export const kvRank = 64;
export const ropeDim = 16;
/** Heads of a state, and the sides of the matrix that each has. */
export const stateHeads = 4;
export const stateSide = 16;

/** As many layers of latent attention as a model has, with random weights: the model's own have keys and values. */
export function latentLayers({ config: { embedDim, numHeads, numLayers } }: Model): RunLayers {
  const nopeDim = embedDim / numHeads;
  const rotary = rope({ headDim: ropeDim, layout: "interleaved" });
  const sizes = { embedDim, numHeads, kvRank, nopeDim, ropeDim, valueDim: nopeDim };
  return stack(embedDim, numLayers, latent({ ...sizes, rope: rotary, mask: causal() }));
}

/** As many layers with a gated delta rule as a model has, with random weights. */
export function stateLayers({ config: { embedDim, numLayers } }: Model): RunLayers {
  const sizes = { embedDim, numHeads: stateHeads, keyDim: stateSide, valueDim: stateSide };
  return stack(embedDim, numLayers, mixerLayer({ ...sizes, mixer: gatedDeltaRule() }));
}

function stack<Params>(embedDim: number, numLayers: number, layer: Layer<Params>): RunLayers {
  const params = Array.from({ length: numLayers }, (_, i) => layer.init(i + 1));
  return (ids, cache) => {
    const rows = ids.map((id) => randn([1, 1, embedDim], { seed: id }));
    params.reduce((x, own, i) => layer.apply(own, x, { cache, layer: i }), concat(rows, 1));
  };
}
