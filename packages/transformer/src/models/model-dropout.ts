import type { Checks } from "@qkv/core";
import { dropout, uniform, type Tensor } from "@qkv/tensor";
import { modelSeeds } from "./model-seeds.js";

/** Dropout rates of a model, each from 0 to below 1, for calls with `dropoutSeed`. */
export type DropoutRates = {
  /** Dropout of attention weights. Default 0. */
  attention?: number;
  /** Dropout of the outputs of attention and feed-forward layers, before the residual addition. Default 0. */
  residual?: number;
  /** Dropout of embeddings, including positions. Default 0. */
  embedding?: number;
  /** LayerDrop: the probability that a whole layer is skipped. Default 0. */
  layer?: number;
};

/** The dropout of one call. */
export type CallDropout = {
  /** Applies dropout to embeddings `[B, T, C]`. */
  embeddings(x: Tensor): Tensor;
  /** True for a layer that is skipped. */
  skips(layer: number): boolean;
  /** Options for the call of a layer. */
  ofLayer(layer: number): { dropoutSeed?: number };
};

/** Refuses invalid rates. */
export function checkDropout(check: Checks, given: DropoutRates | undefined): void {
  if (given === undefined) return;
  const rates = check.options(given, ["attention", "residual", "embedding", "layer"], "config.dropout");
  for (const [name, rate] of Object.entries(rates))
    check.finite({ [`config.dropout.${name}`]: rate }, { min: 0, below: 1, fix: "0.1 drops one of ten." });
}

/**
 * Creates the dropout of a call. Its seed is split into seeds for embeddings and each layer.
 *
 * @param seed - Undefined: no dropout.
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
