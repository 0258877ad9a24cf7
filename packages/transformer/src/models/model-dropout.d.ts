import type { Checks } from "@qkv/core";
import { type Tensor } from "@qkv/tensor";
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
    ofLayer(layer: number): {
        dropoutSeed?: number;
    };
};
/** Refuses rates that are none. */
export declare function checkDropout(check: Checks, given: DropoutRates | undefined): void;
/**
 * Dropout of a call, whose seed is split into those of the embeddings and of each layer.
 *
 * @param seed - Undefined: nothing is dropped.
 * @see "Reducing Transformer Depth on Demand with Structured Dropout" (2019), arXiv:1909.11556, for layers
 */
export declare function dropoutOfCall(rates: DropoutRates | undefined, seed: number | undefined, numLayers: number): CallDropout;
