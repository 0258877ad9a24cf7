import { type Config } from "./config-fields.js";
import { type Format } from "./formats.js";
import type { ModelShape, Reach } from "./model-shape.js";
/** What a layer keeps: so many numbers of each token in reach, and of each source token, and a state of fixed size. */
export type CacheLayer = {
  readonly numbersPerToken: number;
  readonly reach: Reach;
  readonly numbersPerSourceToken?: number;
  readonly stateNumbers?: number;
};
/** How large a cache is. Of encoders without a decoder it is empty. */
export type KvCacheSize = {
  /** What one more token of one sequence adds, in all layers, until a window is full. */
  readonly bytesPerToken: number;
  /** The same in numbers. */
  readonly numbersPerToken: number;
  /** What each token of the encoder's text adds, once. */
  readonly bytesPerSourceToken: number;
  /** All of one sequence. */
  readonly bytesPerRequest: number;
  /** All of the batch. */
  readonly bytes: number;
};
/** Which cache: lengths in tokens. */
export type KvCacheCall = {
  /** Tokens held of each sequence. Default 1. */
  contextLength?: number;
  /** Tokens that the encoder has read. Default 0. */
  sourceLength?: number;
  /** Default 1. */
  batchSize?: number;
  /** Default float16. */
  format?: Format;
};
/**
 * How many bytes the cache of a model takes. Grouped queries keep `2 · Hkv · D` numbers a token and layer, latent
 * attention its compressed row, a window stops at its size, and a recurrent layer has a state that does not grow.
 *
 * @param model - A shape of {@link readConfig}, or only what its layers keep, from {@link readCacheLayers}.
 * @throws {ArgumentError} If a length is no whole number.
 *
 * @example
 * ```ts
 * import { kvCache, readConfig } from "@qkv/cost";
 *
 * const shape = readConfig({
 *   model_type: "llama", hidden_size: 4096, num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 8,
 *   intermediate_size: 14336, vocab_size: 128256,
 * });
 * kvCache(shape).bytesPerToken; // => 131072
 * kvCache(shape, { contextLength: 8192, batchSize: 4 }).bytes / 2 ** 30; // => 4
 * ```
 */
export declare function kvCache(model: ModelShape | readonly CacheLayer[], call?: KvCacheCall): KvCacheSize;
/** What each layer of a model keeps. */
export declare function cacheLayers({ decoder }: ModelShape): CacheLayer[];
/**
 * Reads only what a cache depends on, for tables that give no more: a number of layers, and of each `n_kv_heads` and
 * `head_dim`, or `kv_lora_rank` and `qk_rope_head_dim`. With `attention: "MQA"` there is one key-value head, and with
 * `"MHA"` there are as many as `n_heads`, where `n_kv_heads` is left out.
 *
 * @throws {ArgumentError} If one of them is missing.
 *
 * @example
 * ```ts
 * import { kvCache, readCacheLayers } from "@qkv/cost";
 *
 * const layers = readCacheLayers({ n_layers: 60, kv_lora_rank: 512, qk_rope_head_dim: 64 });
 * kvCache(layers).numbersPerToken; // => 34560
 * ```
 */
export declare function readCacheLayers(config: Config): CacheLayer[];
