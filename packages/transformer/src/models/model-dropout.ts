import type { Checks } from "@qkv/core";
import { dropout, uniform, type Tensor } from "@qkv/tensor";
import { modelSeeds } from "./model-seeds.js";

/** Shares that a model drops in a call with `dropoutSeed`, each from 0 to below 1: in training. */
export type DropoutRates = {
  /** Of attention weights. Default 0. */
  attention?: number;
  /** Of what attention and the feed-forward layer add to x. Default 0. */
  residual?: number;
  /** Of embeddings, positions among them. Default 0. */
  embedding?: number;
  /** Of layers: x passes a dropped one unchanged. Default 0. */
  layer?: number;
};

/** Dropout of one call. */
export type CallDropout = {
  /** Embeddings `[B, T, C]`, some of their numbers dropped. */
  embeddings(x: Tensor): Tensor;
  /** True for a layer that is dropped. */
  skips(layer: number): boolean;
  /** Options of a layer's call. */
  ofLayer(layer: number): { dropoutSeed?: number };
};

/** Refuses rates that are none. */
export function checkDropout(check: Checks, given: DropoutRates | undefined): void {
  if (given === undefined) return;
  const rates = check.options(given, ["attention", "residual", "embedding", "layer"], "config.dropout");
  for (const [name, rate] of Object.entries(rates))
    check.finite({ [`config.dropout.${name}`]: rate }, { min: 0, below: 1, fix: "0.1 drops one of ten." });
}

/**
 * Dropout of a call, whose seed is split into those of the embeddings and of each layer.
 *
 * @param seed - Undefined: nothing is dropped.
 * @see "Reducing Transformer Depth on Demand with Structured Dropout" (2019), arXiv:1909.11556, for layers
 */
export function callDropout(
  rates: DropoutRates | undefined,
  seed: number | undefined,
  numLayers: number,
): CallDropout {
  if (rates === undefined || seed === undefined) return none;
  const { embedding: rate = 0, layer = 0 } = rates;
  const [seeds, layerSeeds] = modelSeeds(seed, ["embedding", "layers"], numLayers);
  const draws = layer > 0 ? uniform([numLayers], { seed: seeds.layers, dtype: "float64" }).data : [];
  return {
    embeddings: (x) => (rate > 0 ? dropout(x, { rate, seed: seeds.embedding }) : x),
    skips: (i) => (draws[i] ?? 1) < layer,
    ofLayer: (i) => ({ dropoutSeed: layerSeeds[i]! }),
  };
}

const none: CallDropout = { embeddings: (x) => x, skips: () => false, ofLayer: () => ({}) };
