import type { LogitPart } from "../decompose/logit-parts.js";
import type { PartSource } from "../decompose/residual-part.js";
import type { ScoreGraph, ScoreGraphOptions } from "../decompose/score-graph.js";
import type { ScorePlace } from "../decompose/score-sides.js";
import type { HeadPlace } from "../heads/head-place.js";
import type { AblationTarget } from "../patching/ablate.js";
import type { PatchPlace } from "../patching/patch.js";
import type { PatternName } from "./head-maps.js";
import type { Prediction } from "./predictions.js";

/** Cancellation and progress of a call. */
export type CallOptions = {
  /** Returns true to cancel; called at each tensor of a pass, forward and backward. Default: never cancelled. */
  readonly isCancelled?: () => boolean;
  /** Called with the finished fraction of the current pass, 0 to 1. */
  readonly onProgress?: (part: number) => void;
};

/** A text, and parts of the model to ablate by zeros. */
export type TextQuestion = {
  readonly text: string;
  /** Heads, neurons and layers to ablate. Default: none. */
  readonly without?: readonly AblationTarget[];
};

/** A run of a text: its tokens, scores and small maps of all heads, and predictions of the next token. */
export type LensSessionRun = {
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
  /** Number of layers of the model. */
  readonly numLayers: number;
  /** Layers with attention weights: the layer of each row of `maps` and `scores`. */
  readonly layers: readonly number[];
  /** H, the largest number of heads of a layer. */
  readonly numHeads: number;
  /** `[rows, H]` by pattern, NaN for heads that a layer lacks. Patterns that the text cannot have are missing. */
  readonly scores: Readonly<Partial<Record<PatternName, Float32Array>>>;
  /** Baselines: the score of a head that attends uniformly to all keys at or before its query. */
  readonly uniform: Readonly<Partial<Record<PatternName, number>>>;
  /** `[rows, H, cells, cells]`: each cell is the largest weight of a block of queries and keys. */
  readonly maps: Float32Array;
  /** Cells on a side of a map. */
  readonly cells: number;
  /** The ten most probable next tokens. */
  readonly next: readonly Prediction[];
  /** Predictions for the tokens of the question. */
  readonly watched: readonly Prediction[];
};

/** The weights of one head. */
export type HeadAnswer = {
  /** `[T, T]` */
  readonly weights: Float32Array;
};

/** For each of some heads, the number of tokens that it copies at positions to which an induction head attends. */
export type CopyingAnswer = {
  /** Tested positions: the first that follow an earlier occurrence of some query's token. */
  readonly positions: readonly number[];
  /**
   * For each head, the number of these positions at which attending there gives the position's own token one of the five highest
   * logits: `copyingScore` on the residual stream of this run, in place of embeddings.
   */
  readonly copied: readonly number[];
};

/** Predictions of the logit lens after one layer. */
export type LayerPrediction = {
  /** From 0; −1: after the embedding. */
  readonly layer: number;
  readonly position: number;
  readonly top: readonly Prediction[];
  /** Predictions for the tokens of the question, with their ranks; 1 is the most probable. */
  readonly watched: readonly (Prediction & { readonly rank: number })[];
};

/** A score with pairs of sources, the largest magnitude first. */
export type ScorePartsAnswer = {
  readonly score: number;
  readonly dot: number;
  readonly weight: number;
  /** A source of the query, a source of the key, and their contribution to the score. */
  readonly pairs: readonly { query: PartSource; key: PartSource; value: number }[];
  /** Sum of the pairs that are not listed. */
  readonly rest: number;
};

/** A logit, or a difference of two, with its parts, the largest magnitude first. */
export type LogitPartsAnswer = {
  readonly logit: number;
  readonly token: Prediction;
  /** The token whose logit is subtracted. */
  readonly minus: Prediction | undefined;
  readonly parts: readonly LogitPart[];
};

/** Estimated effects of patches from a source text. */
export type PatchAnswer = {
  /** Full name of the patched tensor of each row. */
  readonly names: readonly string[];
  readonly columns: number;
  /** `[rows, columns]`: the logit difference with each patch. */
  readonly values: Float32Array;
  /** The logit difference without a patch. */
  readonly unpatched: number;
  /** The logit difference of the source text. */
  readonly source: number;
  readonly sourceTokens: readonly string[];
  /** The token whose logit is measured. */
  readonly token: Prediction;
  /** The token whose logit is subtracted. */
  readonly minus: Prediction | undefined;
  /** The ten most probable next tokens of the source. */
  readonly sourceNext: readonly Prediction[];
};

/** Two texts with the same number of tokens, and the two tokens whose logits are compared at the last position. */
export type PatchQuestion = TextQuestion & {
  readonly source: string;
  /**
   * Default: the most probable next token of the text, and as `minus` that of the source. If both are the same: among the ten most
   * probable of both texts, the token whose logit is lowered most in the source, and as `minus` the one whose logit is raised most.
   */
  readonly token?: number;
  readonly minus?: number;
  /** Columns: positions of the residual stream after each layer, or heads. Default `position`. */
  readonly by?: "position" | "head";
};

/** A model that answers questions about texts with plain data. */
export type LensSession = {
  /** The tokens of a text, without a pass. */
  tokens(question: { readonly text: string }): Promise<readonly string[]>;
  /** Runs a text, and caches the run for later questions about it. */
  run(
    question: TextQuestion & { readonly tokens?: readonly number[] },
    options?: CallOptions,
  ): Promise<LensSessionRun>;
  /** The weights of one head: from the cached run of a short text, recomputed up to its layer for a long one. */
  head(question: HeadPlace & TextQuestion, options?: CallOptions): Promise<HeadAnswer>;
  /** Numbers of tokens that heads copy. `positions`: the most positions to test, default 8. */
  copying(
    question: TextQuestion & { readonly heads: readonly HeadPlace[]; readonly positions?: number },
    options?: CallOptions,
  ): Promise<CopyingAnswer>;
  /**
   * A text of random tokens, repeated once, to find induction heads: only the repetition predicts the next token.
   * `length`: tokens before the repetition, default 20.
   */
  repeatedTokens(question: { readonly length?: number; readonly seed: number }): Promise<string>;
  /** The logit lens at some positions: the `top` most probable tokens after each layer, default 5, and those of `tokens`. */
  logitLens(
    question: TextQuestion & {
      readonly positions: readonly number[];
      readonly top?: number;
      readonly tokens?: readonly number[];
    },
    options?: CallOptions,
  ): Promise<LayerPrediction[]>;
  /** The sources of an attention score. `pairs`: the number of pairs to list, default 24. */
  scoreParts(
    question: ScorePlace & TextQuestion & { readonly pairs?: number },
    options?: CallOptions,
  ): Promise<ScorePartsAnswer>;
  /** The sources of an attention score and their own sources, by `scoreGraph`. */
  scoreGraph(
    question: ScorePlace & ScoreGraphOptions & TextQuestion,
    options?: CallOptions,
  ): Promise<ScoreGraph>;
  /** The parts of the logit of a next token, or of a difference of two. No pass for a text whose run is cached. */
  logitParts(
    question: TextQuestion & { readonly token?: number; readonly minus?: number },
    options?: CallOptions,
  ): Promise<LogitPartsAnswer>;
  /** Predictions with some heads and layers ablated: the ten most probable tokens, and those of `tokens`. */
  ablate(
    question: {
      readonly text: string;
      readonly targets: readonly AblationTarget[];
      readonly tokens?: readonly number[];
    },
    options?: CallOptions,
  ): Promise<{ readonly next: readonly Prediction[]; readonly watched: readonly Prediction[] }>;
  /** A map of patches, estimated by one gradient. */
  attributionPatching(question: PatchQuestion, options?: CallOptions): Promise<PatchAnswer>;
  /** The exact logit difference with one patch. */
  patch(
    question: PatchQuestion & { readonly token: number; readonly place: PatchPlace },
    options?: CallOptions,
  ): Promise<number>;
};
