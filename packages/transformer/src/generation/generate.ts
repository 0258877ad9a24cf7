import { ArgumentError } from "@qkv/core";
import { growingCache } from "@qkv/kv-cache";
import { slice, uniform, type Cache, type Tensor } from "@qkv/tensor";
import type { Model } from "../loading/load.js";
import { checkSampling, chooseToken, logProbability, type Sampling } from "./sampling.js";

export type GenerateOptions = {
  /** At most this many new tokens. Default: until the model's context is full. */
  maxTokens?: number;
  /** Default: the likeliest token. */
  sampling?: Sampling;
  /**
   * Holds what was said before; the prompt is appended. Default: a new growing cache.
   *
   * The token returned last may not be in it yet. To go on, keep all ids and pass those it lacks:
   * `ids.slice(cache.length)`.
   */
  cache?: Cache;
  /** Ids at which to end, besides the model's own. They are not returned. */
  stop?: readonly number[];
  signal?: AbortSignal;
};

/** One new token. */
export type Generated = {
  /** The text that this token completes; "" while a character still lacks bytes. */
  text: string;
  id: number;
  /** The natural logarithm of the token's probability, before temperature and top-p. */
  logprob: number;
};

/**
 * Continues a prompt, token by token. Joined, the texts are the continuation.
 *
 * @param prompt - Text (encoded with the model's tokenizer, beginning-of-sequence token in front), or token ids.
 * @throws {ArgumentError} If the prompt does not fit the context, an option is out of range, or text is given to a
 *   model without a tokenizer. The signal's reason, when it aborts; the cache then holds whole tokens only.
 *
 * @example
 * ```ts
 * import { decoder, generate } from "@qkv/transformer";
 *
 * const { config, init, apply } = decoder({
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, ropeBase: 10000, ropeLayout: "half", stopIds: [],
 * });
 * const model = { config, params: init(1), tokenizer: undefined, apply };
 *
 * const ids = [3, 1, 4];
 * for await (const { id } of generate(model, ids, { maxTokens: 5, sampling: { temperature: 1, seed: 7 } })) {
 *   ids.push(id);
 * }
 * ids.length; // => 8
 * ```
 */
export async function* generate(
  model: Model,
  prompt: string | readonly number[],
  options: GenerateOptions = {},
): AsyncGenerator<Generated, void, void> {
  const { config, params, tokenizer } = model;
  const { maxTokens = Infinity, signal, cache = growingCache({ numLayers: config.numLayers }) } = options;
  const sampling = checkSampling(options.sampling ?? {});
  if (maxTokens !== Infinity && (!Number.isInteger(maxTokens) || maxTokens < 0)) {
    throw refuse(
      "maxTokens",
      maxTokens,
      "a whole number of tokens, 0 or more",
      "leave it out to fill the context.",
    );
  }
  const ids = typeof prompt === "string" ? encode(model, prompt) : prompt;
  const room = config.contextLength - cache.length - ids.length;
  if (ids.length === 0)
    throw refuse("prompt", "no tokens", "one token or more", "begin with the tokenizer's bosId.");
  if (room < 0) {
    const expected = `at most ${config.contextLength - cache.length}, what is left of the model's context of ${config.contextLength}`;
    throw refuse("prompt", `${ids.length} tokens`, expected, "shorten the prompt, or crop the cache.");
  }
  const stops = new Set([...config.stopIds, ...(options.stop ?? [])]);
  const text = tokenizer?.decoder();
  for (const id of ids) text?.push(id);

  const breathe = breather();
  let next: readonly number[] = ids;
  // The last token that fits the context needs no room after it.
  const count = Math.min(maxTokens, room + 1);
  for (let n = 0; n < count; n++) {
    await breathe();
    signal?.throwIfAborted();
    const logits = lastRow(model.apply(params, next, { cache }));
    const row = await logits.read();
    const id = chooseToken(row, sampling, chanceOf(sampling, n));
    if (stops.has(id)) return;
    const completed = text ? text.push(id) + (n === count - 1 ? text.end() : "") : "";
    yield { text: completed, id, logprob: logProbability(row, id) };
    next = [id];
  }
}

/** The logits of the last position: [1, T, V] to [V]. */
function lastRow(logits: Tensor): Tensor {
  return slice(logits, 1, -1);
}

/** The n-th choice of a seed, computed without the ones before it. */
function chanceOf({ temperature, seed }: Required<Sampling>, n: number): number {
  return temperature === 0 ? 0 : uniform([1], { seed, first: n, dtype: "float64" }).data[0]!;
}

function encode({ tokenizer }: Model, prompt: string): number[] {
  if (tokenizer) return tokenizer.encode(prompt);
  throw refuse(
    "prompt",
    prompt,
    "token ids, since the model has no tokenizer",
    "load the model with `tokenizer`.",
  );
}

/** Lets timers, signals and the page run, when they have waited for some milliseconds. */
function breather(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < 12) return;
    await new Promise((resolve) => setTimeout(resolve));
    last = performance.now();
  };
}

function refuse(argument: string, received: unknown, expected: string, fix: string): ArgumentError {
  return new ArgumentError({ fn: "generate", argument, received, expected, fix });
}
