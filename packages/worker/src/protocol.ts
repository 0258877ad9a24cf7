import type { DeviceMemory } from "@qkv/tensor";
import type { GeneratedToken, GenerateSummary, Progress, QuantizationReport } from "@qkv/transformer";
import type { Sent } from "./sent-error.js";
import type { SentEmbedOptions, SentGenerateOptions, SentLoadOptions } from "./sent-options.js";
import type { SentSource } from "./sent-source.js";

/** Version of the functions below, raised by incompatible changes. */
export const contract = 1;

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
export type Piece = { readonly token: GeneratedToken } | { readonly summary: GenerateSummary | undefined };

/**
 * Functions of the worker. A client is one model in one page, and sends its name with each call. Work that can be aborted has
 * a number.
 */
export type WorkerFunctions = {
  /**
   * `lock`: the name of a lock that the page holds while it is open; the name of the worker's lock is returned. `isShared`: the
   * client connected with `worker: "shared"`.
   */
  hello(client: string, contract: number, lock: string | undefined, isShared: boolean): Promise<Sent<Hello>>;
  load(client: string, source: SentSource, options: SentLoadOptions): Promise<Sent<LoadedModel>>;
  /** Prepares generation; `next` computes the tokens. */
  start(
    client: string,
    work: number,
    prompt: string | readonly number[],
    options: SentGenerateOptions,
  ): Promise<Sent<void>>;
  /** Returns one token. The worker computes at most one token for each call that it has received. */
  next(client: string, work: number): Promise<Sent<Piece>>;
  embed(
    client: string,
    work: number,
    texts: readonly string[],
    options: SentEmbedOptions,
  ): Promise<Sent<Float32Array[]>>;
  /** Aborts work. */
  end(client: string, work: number): Promise<Sent<void>>;
  memory(client: string): Promise<Sent<DeviceMemory>>;
  /** Aborts all work of the client, and frees the model if no other client uses it. */
  leave(client: string): Promise<Sent<void>>;
};

export type Hello = {
  readonly contract: number;
  readonly version: string;
  readonly lock: string | undefined;
};

/** Functions of the page. */
export type ClientFunctions = { progress(client: string, progress: Progress): void };
