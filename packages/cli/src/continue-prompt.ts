import type { KvCache } from "@qkv/kv-cache";
import type { Tokenizer } from "@qkv/tokenizer";
import { beamSearch, generate, type DecoderConfig, type Model, type Sampling } from "@qkv/transformer";
import type { LogitsProcessor } from "@qkv/transformer/processors";
import type { Beams } from "./beam-options.js";

export type ContinueOptions = {
  prompt: string;
  maxTokens: number;
  sampling: Sampling;
  /** Beam search instead of sampling. */
  beams: Beams | undefined;
  processors: readonly LogitsProcessor[];
  /** Texts to end before. */
  stop: readonly string[];
  /** Speculative decoding by prompt lookup. */
  speculate: boolean;
  /** Makes the KV cache. */
  makeCache: (config: DecoderConfig) => KvCache;
  signal: AbortSignal;
  /** Is given the text as it comes: the prompt with the first new token, then what each token completes. */
  show: (text: string) => void;
};

export type Continuation = {
  prompt: string;
  /** The ids of the prompt, the beginning of the sequence in front. */
  promptTokens: readonly number[];
  /** The ids that the model chose. */
  tokens: readonly number[];
  /** Prompt and continuation. */
  text: string;
  /** With beams: the score of the text. */
  score?: number;
  timings: {
    loadMs: number;
    /** From the prompt to the first new token; null where none came. */
    firstTokenMs: number | null;
    /** From the prompt to the end. */
    generateMs: number;
    /** New tokens over all of `generateMs`, the reading of the prompt included. */
    tokensPerSecond: number;
  };
};

/** Loads a model and lets it continue a prompt. */
export async function continuePrompt(
  open: () => Promise<Model & { tokenizer: Tokenizer }>,
  options: ContinueOptions,
): Promise<Continuation> {
  const { prompt, maxTokens, sampling, beams, processors, stop, speculate, makeCache, signal, show } =
    options;
  const start = performance.now();
  const model = await open();
  const { tokenizer } = model;
  const loaded = performance.now();

  const encoded = tokenizer.encode(prompt);
  // Nothing to continue is the beginning of a text, where a vocabulary has a token for it.
  const { bosId } = tokenizer;
  const promptTokens = encoded.length === 0 && bosId !== undefined ? [bosId] : encoded;
  const decoder = tokenizer.decodeStream();
  const tokens: number[] = [];
  let text = "";
  const written = promptTokens.map((id) => decoder.push(id)).join("");
  // The beginning of a text is no part of it, whatever a vocabulary takes for one: ours a line break.
  let pending = encoded.length === 0 ? "" : written;
  const emit = (more: string) => {
    text += pending + more;
    show(pending + more);
    pending = "";
  };

  const cache = makeCache(model.config);
  let firstTokenMs: number | null = null;
  const common = { maxTokens, processors, stop, cache, signal };
  const receive = (token: { id: number; text: string }) => {
    firstTokenMs ??= performance.now() - loaded;
    tokens.push(token.id);
    emit(token.text);
  };
  let score: number | undefined;
  if (beams) {
    const { sequences } = await beamSearch(model, [promptTokens], { ...common, ...beams, onToken: receive });
    score = sequences[0]?.[0]?.score;
  } else {
    const settings = { ...common, sampling, ...(speculate && { speculate: {} }) };
    for await (const token of generate(model, promptTokens, settings)) receive(token);
  }
  emit("");

  const generateMs = performance.now() - loaded;
  const tokensPerSecond = (1000 * tokens.length) / generateMs;
  const timings = { loadMs: loaded - start, firstTokenMs, generateMs, tokensPerSecond };
  return { prompt, promptTokens, tokens, text, ...(score !== undefined && { score }), timings };
}
