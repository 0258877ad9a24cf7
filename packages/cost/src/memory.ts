import { checks, type Checks } from "@qkv/core";
import { checkFormats, checkPositive, checkShape, checkWhole } from "./check-call.js";
import { resolveFormats } from "./cost.js";
import type { Formats } from "./formats.js";
import { formats } from "./formats.js";
import { kvCache } from "./kv-cache.js";
import type { ModelShape } from "./model-shape.js";
import { parameters } from "./parameters.js";

/** Call of {@link memory}: a model while it runs. */
export type MemoryCall = {
  /** Tokens held of each sequence. Default 1. */
  contextLength?: number;
  /** Default 1. */
  batchSize?: number;
  formats?: Partial<Formats>;
};

/** Memory by use. Unit: bytes. */
export type Memory = {
  readonly weightBytes: number;
  readonly cacheBytes: number;
  /** Between the parts of one step: logits in float32, the widest layer, a few rows as wide as the model. */
  readonly workBytes: number;
  readonly bytes: number;
};

/**
 * Returns the memory that a model needs while it decodes.
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
export function memory(shape: ModelShape, call: MemoryCall = {}): Memory {
  const check = checks("memory");
  const given = check.options(call, ["contextLength", "batchSize", "formats"], "call");
  checkHeld(check, shape, given);
  return held(shape, given);
}

/** Refuses a model that is none, and lengths and formats. */
function checkHeld(
  check: Checks,
  shape: ModelShape,
  { contextLength = 1, batchSize = 1, formats }: MemoryCall,
) {
  checkShape(check, shape);
  checkWhole(check, { contextLength }, 0, "tokens");
  checkWhole(check, { batchSize }, 1, "sequences");
  checkFormats(check, formats);
}

function held(shape: ModelShape, { contextLength = 1, batchSize = 1, formats: given }: MemoryCall): Memory {
  const { weights, activations } = resolveFormats(given);
  const cache = kvCache(shape, {
    contextLength,
    batchSize,
    // An encoder's text is counted as long as the decoder's.
    sourceLength: shape.encoder ? (shape.encoder.rows ?? contextLength) : 0,
    format: given?.cache ?? formats.float16,
  });
  const weightBytes = parameters(shape).total * weights;
  const workBytes = batchSize * (4 * shape.vocabSize + activations * (widest(shape) + 4 * shape.embedDim));
  return { weightBytes, cacheBytes: cache.bytes, workBytes, bytes: weightBytes + cache.bytes + workBytes };
}

function widest({ encoder, decoder, images }: ModelShape): number {
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
 * Returns the longest context that fits, for every sequence of a batch; 0 if not even the weights fit. It is `Infinity`
 * if the cache stops growing because every layer has a window. The model may have been made for less: see
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
export function longestContext(shape: ModelShape, call: MemoryCall & { memoryBytes: number }): number {
  const { memoryBytes, ...given } = checkFits(checks("longestContext"), shape, call);
  return largest((contextLength) => held(shape, { ...given, contextLength }).bytes <= memoryBytes);
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
  const { memoryBytes, ...given } = checkFits(check, shape, call);
  checkWhole(check, { contextLength: given.contextLength ?? 1 }, 1, "tokens");
  const most = largest((batchSize) => held(shape, { ...given, batchSize }).bytes <= memoryBytes);
  if (most < Infinity) return most;
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
  const given = check.options(call, ["memoryBytes", "contextLength", "batchSize", "formats"], "call");
  checkPositive(check, { memoryBytes: given.memoryBytes }, "bytes");
  checkHeld(check, shape, given);
  return given;
}

/** The largest whole number for which something holds that, once it fails, fails for all larger ones. */
function largest(holds: (n: number) => boolean): number {
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
