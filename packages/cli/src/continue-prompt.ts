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
  /** Texts that stop generation. */
  stop: readonly string[];
  /** Speculative decoding by prompt lookup. */
  speculate: boolean;
  /** Creates the KV cache. */
  makeCache: (config: DecoderConfig) => KvCache;
  signal: AbortSignal;
  /** Called with the text as it is generated: the prompt with the first new token, then the text that each token completes. */
  show: (text: string) => void;
};

export type Continuation = {
  prompt: string;
  /** Ids of the prompt, with the BOS token. */
  promptTokens: readonly number[];
  /** Generated ids. */
  tokens: readonly number[];
  /** Prompt and continuation. */
  text: string;
  /** Score of the text in beam search. */
  score?: number;
  timings: {
    loadMs: number;
    /** Time to the first token; null without a new token. */
    firstTokenMs: number | null;
    /** Total time of prompt and generation. */
    generateMs: number;
    /** New tokens per second of `generateMs`, prompt processing included. */
    tokensPerSecond: number;
  };
};

/** Loads a model and continues a prompt. */
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
  // An empty prompt becomes the BOS token, if the vocabulary has one.
  const { bosId } = tokenizer;
  const promptTokens = encoded.length === 0 && bosId !== undefined ? [bosId] : encoded;
  const decoder = tokenizer.decodeStream();
  const tokens: number[] = [];
  let text = "";
  const written = promptTokens.map((id) => decoder.push(id)).join("");
  // The BOS token is not part of the text, even if its text is a line break, as in our vocabulary.
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
