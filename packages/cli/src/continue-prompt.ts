import type { Cache, Device } from "@qkv/tensor";
import { generate, load, type DecoderConfig, type Sampling } from "@qkv/transformer";

export type ContinueOptions = {
  /** The tokenizer's file, as a path or URL. */
  tokenizer: string;
  prompt: string;
  maxTokens: number;
  sampling: Required<Sampling>;
  device: Device;
  /** What keeps keys and values. */
  makeCache: (config: DecoderConfig) => Cache;
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
export async function continuePrompt(source: string, options: ContinueOptions): Promise<Continuation> {
  const { prompt, maxTokens, sampling, device, makeCache, signal, show } = options;
  const start = performance.now();
  const model = await load(source, { device, tokenizer: options.tokenizer, signal });
  const tokenizer = model.tokenizer!; // there is one, since its file was named
  const loaded = performance.now();

  const promptTokens = tokenizer.encode(prompt);
  const decoder = tokenizer.decoder();
  const tokens: number[] = [];
  let text = "";
  let pending = promptTokens.map((id) => decoder.push(id)).join("");
  const emit = (more: string) => {
    text += pending + more;
    show(pending + more);
    pending = "";
  };

  const cache = makeCache(model.config);
  let firstTokenMs: number | null = null;
  for await (const { id } of generate(model, promptTokens, { maxTokens, sampling, cache, signal })) {
    firstTokenMs ??= performance.now() - loaded;
    tokens.push(id);
    emit(decoder.push(id));
  }
  emit(decoder.end());

  const generateMs = performance.now() - loaded;
  const tokensPerSecond = (1000 * tokens.length) / generateMs;
  const timings = { loadMs: loaded - start, firstTokenMs, generateMs, tokensPerSecond };
  return { prompt, promptTokens, tokens, text, timings };
}
