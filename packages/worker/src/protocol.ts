import type { DeviceMemory } from "@qkv/tensor";
import type { GeneratedToken, GenerateSummary, Progress, QuantizationReport } from "@qkv/transformer";
import type { SentResult } from "./sent-error.js";
import type { SentEmbedOptions, SentGenerateOptions, SentLoadOptions } from "./sent-options.js";
import type { SentSource } from "./sent-source.js";

/** Version of the functions below, raised by incompatible changes. */
export const protocolVersion = 1;

/** A model that a worker loaded, without its weights. */
export type LoadedModel = {
  readonly kind: "decoder" | "encoder";
  readonly config: ModelSizes;
  /** Name of the device that it is on. */
  readonly device: string;
  readonly quantization: QuantizationReport | undefined;
};

/** Sizes of a model. */
export type ModelSizes = {
  /** V */
  readonly vocabSize: number;
  /** C */
  readonly embedDim: number;
  /** L */
  readonly numLayers: number;
  /** Longest sequence. Unit: tokens. */
  readonly contextLength: number;
};

/** A token, or the summary at the end. */
export type TokenOrSummary =
  { readonly token: GeneratedToken } | { readonly summary: GenerateSummary | undefined };

/**
 * Functions of the worker. A client is one model in one page, and sends its name with each call. Work that can be aborted has
 * a number.
 */
export type WorkerFunctions = {
  /**
   * `lock`: the name of a lock that the page holds while it is open; the name of the worker's lock is returned. `isShared`: the
   * client connected with `worker: "shared"`.
   */
  hello(
    client: string,
    protocolVersion: number,
    lock: string | undefined,
    isShared: boolean,
  ): Promise<SentResult<Hello>>;
  load(client: string, source: SentSource, options: SentLoadOptions): Promise<SentResult<LoadedModel>>;
  /** Prepares generation; `next` computes the tokens. */
  start(
    client: string,
    work: number,
    prompt: string | readonly number[],
    options: SentGenerateOptions,
  ): Promise<SentResult<void>>;
  /** Returns one token. The worker computes at most one token for each call that it has received. */
  next(client: string, work: number): Promise<SentResult<TokenOrSummary>>;
  embed(
    client: string,
    work: number,
    texts: readonly string[],
    options: SentEmbedOptions,
  ): Promise<SentResult<Float32Array[]>>;
  /** Aborts work. */
  end(client: string, work: number): Promise<SentResult<void>>;
  memory(client: string): Promise<SentResult<DeviceMemory>>;
  /** Aborts all work of the client, and frees the model if no other client uses it. */
  leave(client: string): Promise<SentResult<void>>;
};

export type Hello = {
  readonly protocolVersion: number;
  readonly version: string;
  readonly lock: string | undefined;
};

/** Functions of the page. */
export type ClientFunctions = { progress(client: string, progress: Progress): void };
