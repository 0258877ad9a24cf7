import { type Format } from "./formats.js";
import type { ModelShape } from "./model-shape.js";
/** How numbers are stored. Default: float16, all of them. */
export type Formats = {
  readonly weights: Format;
  readonly activations: Format;
  readonly cache: Format;
};
/** One pass of a model. Lengths in tokens. */
export type Call = {
  /** B, sequences side by side. Default 1. */
  batchSize?: number;
  /** T, tokens of each sequence that are computed. Default 1: one step of decoding. */
  queryLength?: number;
  /** S, all tokens of a sequence, those of this pass included. Default: `queryLength`, a sequence from its start. */
  contextLength?: number;
  /** Tokens that the encoder of an encoder-decoder reads. Default: `queryLength` there, else none. */
  sourceLength?: number;
  /** Whether the encoder runs in this pass. Default: where the sequence starts. */
  encodes?: boolean;
  /** Tokens of each sequence that get logits. Default: all of the pass. */
  outputLength?: number;
  /** The tile of the attention kernel, which computes whole tiles. Default 1: the pairs that are seen, and no more. */
  tileSize?: number;
  /** How latent attention is computed. Default `cheapest`: whichever takes fewer operations. */
  latent?: "naive" | "absorbed" | "cheapest";
  formats?: Partial<Formats>;
};
/** What one part of a model does in a pass, in all layers that have it together. */
export type Operator = {
  readonly name: string;
  /** How many layers have it. */
  readonly times: number;
  readonly flops: number;
  readonly weightBytes: number;
  readonly activationBytes: number;
  readonly cacheBytes: number;
  /** All bytes moved. */
  readonly bytes: number;
  /** FLOPs for each byte moved. */
  readonly intensity: number;
  /** Operations that a runtime starts. */
  readonly calls: number;
};
/** What a pass takes. Each figure is the sum of the operators'. */
export type Cost = {
  readonly operators: readonly Operator[];
  readonly flops: number;
  readonly weightBytes: number;
  readonly activationBytes: number;
  readonly cacheBytes: number;
  readonly bytes: number;
  readonly intensity: number;
  readonly calls: number;
  /** Tokens computed, of all sequences together. */
  readonly tokens: number;
};
/**
 * What one pass of a model computes and moves. FLOPs are additions, multiplications, and calls of exp and the like,
 * one each, as `count` of `@qkv/tensor` has them; looking up an embedding is none. Weights are read once for the whole
 * pass, and an expert only where a token is sent to it. Scores are never stored, as in a fused kernel: see
 * {@link attentionTraffic} for what it costs to store them.
 *
 * @param shape - From {@link readConfig}.
 * @throws {ArgumentError} If a length is no whole number, or the context is shorter than the pass.
 *
 * @example
 * ```ts
 * import { cost, readConfig } from "@qkv/cost";
 *
 * const shape = readConfig({ model_type: "gpt2", n_embd: 768, n_head: 12, n_layer: 12, n_positions: 1024, vocab_size: 50257 });
 * const prompt = cost(shape, { queryLength: 512 });
 * const step = cost(shape, { contextLength: 512 });
 * [prompt.intensity > 100, step.intensity < 2]; // => [true, true]
 * step.cacheBytes; // => 18911232
 * ```
 */
export declare function cost(shape: ModelShape, call?: Call): Cost;
/** Bytes of a number of each kind. */
export declare function formatsOf(given?: Partial<Formats>): {
  [kind in keyof Formats]: number;
};
