import { checks, type Checks } from "@qkv/core";
import { checkFormats, checkPositive, checkShape, checkWhole } from "./check-call.js";
import { resolveFormats } from "./cost.js";
import type { Formats } from "./formats.js";
import { formats } from "./formats.js";
import { kvCache } from "./kv-cache.js";
import type { ModelShape } from "./model-shape.js";
import { parameters } from "./parameters.js";

/** Call of {@link memory}: a model that decodes. */
export type MemoryCall = {
  /** Tokens of each sequence in the cache. Default 1. */
  contextLength?: number;
  /** Default 1. */
  batchSize?: number;
  formats?: Partial<Formats>;
};

/** Memory by use. Unit: bytes. */
export type Memory = {
  readonly weightBytes: number;
  readonly cacheBytes: number;
  /** Activations of one step: logits in float32, the widest hidden layer, and 4 rows of the model's width. */
  readonly workBytes: number;
  readonly bytes: number;
};

/**
 * Returns the memory that a model needs while it decodes.
 *
 * @throws {ArgumentError} If a length is not an integer.
 *
 * @example
 * ```ts
 * import { memory, readConfig } from "@qkv/cost";
 *
 * const shape = readConfig({ model_type: "gpt2", n_embd: 768, n_head: 12, n_layer: 12, n_positions: 1024, vocab_size: 50257 });
 * memory(shape, { contextLength: 1024 }).cacheBytes; // => 37748736
 * ```
 */
export function memory(shape: ModelShape, call: MemoryCall = {}): Memory {
  const check = checks("memory");
  const options = check.options(call, ["contextLength", "batchSize", "formats"], "call");
  checkMemoryCall(check, shape, options);
  return memoryUse(shape, options);
}

/** Checks the arguments of {@link memory}. */
function checkMemoryCall(
  check: Checks,
  shape: ModelShape,
  { contextLength = 1, batchSize = 1, formats }: MemoryCall,
) {
  checkShape(check, shape);
  checkWhole(check, { contextLength }, 0, "tokens");
  checkWhole(check, { batchSize }, 1, "sequences");
  checkFormats(check, formats);
}

function memoryUse(
  shape: ModelShape,
  { contextLength = 1, batchSize = 1, formats: formatsByUse }: MemoryCall,
): Memory {
  const { weights, activations } = resolveFormats(formatsByUse);
  const cache = kvCache(shape, {
    contextLength,
    batchSize,
    // The encoder's text is assumed to be as long as the decoder's.
    sourceLength: shape.encoder ? (shape.encoder.rows ?? contextLength) : 0,
    format: formatsByUse?.cache ?? formats.float16,
  });
  const weightBytes = parameters(shape).total * weights;
  const workBytes =
    batchSize * (4 * shape.vocabSize + activations * (widestHiddenNumbers(shape) + 4 * shape.embedDim));
  return { weightBytes, cacheBytes: cache.bytes, workBytes, bytes: weightBytes + cache.bytes + workBytes };
}

function widestHiddenNumbers({ encoder, decoder, images }: ModelShape): number {
  const stacks = [encoder, decoder, images?.encoder];
  const layers = stacks.flatMap((stack) => stack?.layers ?? []);
  return Math.max(
    0,
    ...layers.map(({ feedForward }) => {
      if (feedForward.kind === "none") return 0;
      if (feedForward.kind === "dense") return 2 * feedForward.hiddenDim;
      return 2 * (feedForward.hiddenDim * feedForward.expertsPerToken + feedForward.sharedDim);
    }),
  );
}

/**
 * Returns the longest context that fits for every sequence of a batch; 0 if the weights do not fit, `Infinity` if every layer
 * has a window, so that the cache stops growing. The model may be trained for less: see `contextLength` of its shape.
 *
 * @example
 * ```ts
 * import { longestContext, readConfig } from "@qkv/cost";
 *
 * const shape = readConfig({ model_type: "gpt2", n_embd: 768, n_head: 12, n_layer: 12, n_positions: 1024, vocab_size: 50257 });
 * longestContext(shape, { memoryBytes: 1e9 }); // => 20369
 * ```
 */
export function longestContext(shape: ModelShape, call: MemoryCall & { memoryBytes: number }): number {
  const { memoryBytes, ...options } = checkFits(checks("longestContext"), shape, call);
  return largestWhere(
    (contextLength) => memoryUse(shape, { ...options, contextLength }).bytes <= memoryBytes,
  );
}

/**
 * Returns the largest batch that fits, at the given context length per sequence.
 *
 * @example
 * ```ts
 * import { largestBatch, readConfig } from "@qkv/cost";
 *
 * const shape = readConfig({ model_type: "gpt2", n_embd: 768, n_head: 12, n_layer: 12, n_positions: 1024, vocab_size: 50257 });
 * largestBatch(shape, { memoryBytes: 1e9, contextLength: 1024 }); // => 19
 * ```
 */
export function largestBatch(shape: ModelShape, call: MemoryCall & { memoryBytes: number }): number {
  const check = checks("largestBatch");
  const { memoryBytes, ...options } = checkFits(check, shape, call);
  checkWhole(check, { contextLength: options.contextLength ?? 1 }, 1, "tokens");
  const largest = largestWhere(
    (batchSize) => memoryUse(shape, { ...options, batchSize }).bytes <= memoryBytes,
  );
  if (largest < Infinity) return largest;
  return check.refuse({
    argument: "memoryBytes",
    received: memoryBytes,
    expected: "an amount that some batch fills",
    fix: "give the memory of one machine.",
  });
}

function checkFits(
  check: Checks,
  shape: ModelShape,
  call: MemoryCall & { memoryBytes: number },
): MemoryCall & { memoryBytes: number } {
  const options = check.options(call, ["memoryBytes", "contextLength", "batchSize", "formats"], "call");
  checkPositive(check, { memoryBytes: options.memoryBytes }, "bytes");
  checkMemoryCall(check, shape, options);
  return options;
}

/** The largest integer n for which a monotone condition holds: once it fails, it fails for all larger n. */
function largestWhere(holds: (n: number) => boolean): number {
  if (!holds(1)) return 0;
  let [low, high] = [1, 2];
  while (holds(high)) {
    [low, high] = [high, high * 2];
    if (high > 2 ** 45) return Infinity;
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}
