import { type Formats } from "./cost.js";
import type { ModelShape } from "./model-shape.js";
/** What is held while a model runs. */
export type MemoryCall = {
  /** Tokens held of each sequence. Default 1. */
  contextLength?: number;
  /** Default 1. */
  batchSize?: number;
  formats?: Partial<Formats>;
};
/** What takes memory. Unit: bytes. */
export type Memory = {
  readonly weightBytes: number;
  readonly cacheBytes: number;
  /** Between the parts of one step: logits in float32, the widest layer, a few rows as wide as the model. */
  readonly workBytes: number;
  readonly bytes: number;
};
/**
 * What a model holds while it decodes.
 *
 * @throws {ArgumentError} If a length is no whole number.
 *
 * @example
 * ```ts
 * import { memory, readConfig } from "@qkv/cost";
 *
 * const shape = readConfig({ model_type: "gpt2", n_embd: 768, n_head: 12, n_layer: 12, n_positions: 1024, vocab_size: 50257 });
 * memory(shape, { contextLength: 1024 }).cacheBytes; // => 37748736
 * ```
 */
export declare function memory(shape: ModelShape, call?: MemoryCall): Memory;
/**
 * The longest context that fits, for every sequence of a batch: 0 where not even the weights do. Where the cache stops
 * growing, because every layer has a window, it is `Infinity`. The model may have been made for less: see
 * `contextLength` of its shape.
 *
 * @example
 * ```ts
 * import { longestContext, readConfig } from "@qkv/cost";
 *
 * const shape = readConfig({ model_type: "gpt2", n_embd: 768, n_head: 12, n_layer: 12, n_positions: 1024, vocab_size: 50257 });
 * longestContext(shape, { memoryBytes: 1e9 }); // => 20369
 * ```
 */
export declare function longestContext(
  shape: ModelShape,
  call: MemoryCall & {
    memoryBytes: number;
  },
): number;
/**
 * The largest batch that fits, at a context of so many tokens for each sequence.
 *
 * @example
 * ```ts
 * import { largestBatch, readConfig } from "@qkv/cost";
 *
 * const shape = readConfig({ model_type: "gpt2", n_embd: 768, n_head: 12, n_layer: 12, n_positions: 1024, vocab_size: 50257 });
 * largestBatch(shape, { memoryBytes: 1e9, contextLength: 1024 }); // => 19
 * ```
 */
export declare function largestBatch(
  shape: ModelShape,
  call: MemoryCall & {
    memoryBytes: number;
  },
): number;
