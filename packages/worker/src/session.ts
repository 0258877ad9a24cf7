import { checks } from "@qkv/core";
import {
  embed,
  generate,
  type EncoderModel,
  type GeneratedToken,
  type GenerateSummary,
  type GenerativeModel,
  type HubClient,
  type Progress,
} from "@qkv/transformer";
import { openModel } from "./open-model.js";
import type { LoadedModel, TokenOrSummary } from "./protocol.js";
import type { SentEmbedOptions, SentGenerateOptions, SentLoadOptions } from "./sent-options.js";
import { isShareable, type SentSource } from "./sent-source.js";
import type { Share, SharedModels } from "./shared-models.js";

/** Work that can be aborted. */
type Work = {
  readonly controller: AbortController;
  readonly tokens?: AsyncGenerator<GeneratedToken, void, void>;
  summary?: GenerateSummary;
};

/** The worker's side of one client: its share of a model, and its running work. */
export class Session {
  readonly #models: SharedModels;
  readonly #hub: HubClient | undefined;
  readonly #ended = new AbortController();
  readonly #work = new Map<number, Work>();
  #loading: Promise<Share> | undefined;

  constructor(models: SharedModels, hub: HubClient | undefined) {
    this.#models = models;
    this.#hub = hub;
  }

  async load(
    source: SentSource,
    options: SentLoadOptions,
    onProgress: (progress: Progress) => void,
  ): Promise<LoadedModel> {
    const key = isShareable(source) ? JSON.stringify([source, Object.entries(options).sort()]) : undefined;
    this.#loading = this.#models.share(key, (calls) => openModel(source, options, calls, this.#hub), {
      signal: this.#ended.signal,
      onProgress,
    });
    return (await this.#loading).open.loaded;
  }

  async start(work: number, prompt: string | readonly number[], options: SentGenerateOptions): Promise<void> {
    const { model } = await this.#open("generate");
    const controller = new AbortController();
    const running: Work = {
      controller,
      tokens: generate(model as GenerativeModel, prompt, {
        ...options,
        signal: controller.signal,
        onFinish: (summary) => (running.summary = summary),
      }),
    };
    this.#work.set(work, running);
  }

  async next(work: number): Promise<TokenOrSummary> {
    const running = this.#work.get(work);
    // The client requests tokens ahead, so requests may be left after the last token.
    if (!running?.tokens) return { summary: undefined };
    const { done, value } = await running.tokens.next();
    return done ? { summary: running.summary } : { token: value };
  }

  async embed(work: number, texts: readonly string[], options: SentEmbedOptions): Promise<Float32Array[]> {
    const { model } = await this.#open("embed");
    const controller = new AbortController();
    this.#work.set(work, { controller });
    try {
      return await embed(model as EncoderModel, texts, { ...options, signal: controller.signal });
    } finally {
      this.#work.delete(work);
    }
  }

  async end(work: number): Promise<void> {
    const running = this.#work.get(work);
    this.#work.delete(work);
    running?.controller.abort();
    // Waits for the token that is being computed.
    await running?.tokens?.return().catch(() => undefined);
  }

  async memory() {
    return (await this.#open("memory")).device.memory();
  }

  /** Aborts all work, then frees the model unless other clients share it. */
  async leave(): Promise<void> {
    this.#ended.abort();
    await Promise.all([...this.#work.keys()].map((work) => this.end(work)));
    const share = await this.#loading?.catch(() => undefined);
    await share?.release();
  }

  async #open(fn: string) {
    const share = this.#ended.signal.aborted ? undefined : await this.#loading;
    if (share) return share.open;
    return checks(fn).refuse({
      argument: "model",
      received: "a model that was disposed of",
      expected: "one that is loaded",
      fix: "`load` it again.",
    });
  }
}
