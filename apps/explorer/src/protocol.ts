import type { LensSession } from "@qkv/lens/session";
import type { TransformerBlockModel } from "@qkv/figures/transformer-block";
import type { SentFlag } from "./cancel-flag";

/** Origin of a model: the small one that comes along, a place that `load` reads, or files that a reader gave. */
export type ModelSource =
  { readonly small: true } | { readonly place: string } | { readonly files: readonly File[] };

/** A model that was loaded, in numbers. */
export type ModelFacts = {
  readonly numLayers: number;
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly embedDim: number;
  readonly vocabSize: number;
  /** Numbers in all weights. */
  readonly parameters: number;
  /** Unit: tokens. */
  readonly contextLength: number;
  /** Name of the device that it is on. */
  readonly device: string;
};

/** A question on its way: its number, and the flag by which it is cancelled. */
export type Asked = { readonly id: number; readonly flag: SentFlag };

/** Questions about texts, by name. */
export type SessionName = keyof LensSession;
export type QuestionOf<Name extends SessionName> = Parameters<LensSession[Name]>[0];
export type AnswerOf<Name extends SessionName> = Awaited<ReturnType<LensSession[Name]>>;

/** Functions of the worker. */
export type WorkerFunctions = {
  load(asked: Asked, source: ModelSource): Promise<ModelFacts>;
  ask(asked: Asked, name: SessionName, question: unknown): Promise<unknown>;
  /** The numbers of the figure *Inside a block*. */
  figure(asked: Asked, text: string, removed: string, name: string): Promise<TransformerBlockModel>;
};

/** Functions of the page. */
export type PageFunctions = {
  /** A part of the work is done, 0 to 1. */
  progress(id: number, part: number): void;
};
