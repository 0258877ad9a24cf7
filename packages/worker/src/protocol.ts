import type { DeviceMemory } from "@qkv/tensor";
import type { GeneratedToken, GenerateSummary, Progress, QuantizationReport } from "@qkv/transformer";
import type { Sent } from "./sent-error.js";
import type { SentEmbedOptions, SentGenerateOptions, SentLoadOptions } from "./sent-options.js";
import type { SentSource } from "./sent-source.js";

/** Raised when the functions below change in a way that other versions cannot follow. */
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
 * Functions of the worker. A client is one model in one page, and names itself in each call; work that can be aborted has a
 * number.
 */
export type WorkerFunctions = {
  /**
   * `lock`: the name of a lock that the page holds while it lives; the worker's is returned. `isShared`: the client came by
   * `worker: "shared"`, so that the worker belongs to nobody else.
   */
  hello(client: string, contract: number, lock: string | undefined, isShared: boolean): Promise<Sent<Hello>>;
  load(client: string, source: SentSource, options: SentLoadOptions): Promise<Sent<LoadedModel>>;
  /** Begins to generate; computes nothing yet. */
  start(
    client: string,
    work: number,
    prompt: string | readonly number[],
    options: SentGenerateOptions,
  ): Promise<Sent<void>>;
  /** One token: a call is a credit, and the worker computes as many tokens as it has credits for. */
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
  /** Ends all work of the client and gives its share of the model back. */
  leave(client: string): Promise<Sent<void>>;
};

export type Hello = {
  readonly contract: number;
  readonly version: string;
  readonly lock: string | undefined;
};

/** Functions of the page. */
export type ClientFunctions = { progress(client: string, progress: Progress): void };
