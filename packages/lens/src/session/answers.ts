import type { LogitPart } from "../decompose/logit-parts.js";
import type { PartSource } from "../decompose/residual-part.js";
import type { ScoreGraph, ScoreGraphOptions } from "../decompose/score-graph.js";
import type { ScorePlace } from "../decompose/score-sides.js";
import type { HeadPlace } from "../heads/head-place.js";
import type { AblationTarget } from "../patching/ablate.js";
import type { PatchPlace } from "../patching/patch.js";
import type { PatternName } from "./head-maps.js";
import type { Prediction } from "./predictions.js";

/** Asks while a question is answered. */
export type Asking = {
  /** True once nobody waits for the answer: asked at each tensor of a pass, forward and backward. Default: somebody waits. */
  readonly isCancelled?: () => boolean;
  /** Called with the part of the current pass that is done, 0 to 1. */
  readonly onProgress?: (part: number) => void;
};

/** A text, and parts of the model that are ablated by zeros while it is read. */
export type TextQuestion = {
  readonly text: string;
  /** Heads, and parts of layers. Default: none. */
  readonly without?: readonly AblationTarget[];
};

/** A text as the model reads it: its tokens, the scores of all heads, and the next token. */
export type LensSessionRun = {
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
  /** Layers of the model. */
  readonly numLayers: number;
  /** Layers that have attention weights, a row of `maps` and `scores` each. */
  readonly layers: readonly number[];
  /** Heads of a layer, at most. */
  readonly numHeads: number;
  /** `[rows, H]` by pattern, NaN where a layer has fewer heads. A pattern is missing where the text cannot show it. */
  readonly scores: Readonly<Partial<Record<PatternName, Float32Array>>>;
  /** The score by each pattern of a head that attends to all keys at or before its query alike. */
  readonly uniform: Readonly<Partial<Record<PatternName, number>>>;
  /** `[rows, H, cells, cells]`: each cell is the largest weight of a block of queries and keys. */
  readonly maps: Float32Array;
  /** Cells on a side of a map. */
  readonly cells: number;
  /** Likeliest next tokens, ten of them. */
  readonly next: readonly Prediction[];
  /** Next tokens that were asked for. */
  readonly watched: readonly Prediction[];
};

/** The weights of one head. */
export type HeadAnswer = {
  /** `[T, T]` */
  readonly weights: Float32Array;
};

/** The tokens that heads copy where an induction head attends to them. */
export type CopyingAnswer = {
  /** Positions that were tried: the first ones after an earlier occurrence of a query's token. */
  readonly positions: readonly number[];
  /**
   * For each head, at how many of them its value raises the logit of the token that stands there to one of the five highest:
   * `copyingScore` of this run, in place of embeddings alone.
   */
  readonly copied: readonly number[];
};

/** Predictions that are read after one layer. */
export type LayerPrediction = {
  /** −1: after the embedding. */
  readonly layer: number;
  readonly position: number;
  readonly top: readonly Prediction[];
  /** Tokens that were asked for, with their ranks: 1 is the likeliest. */
  readonly watched: readonly (Prediction & { readonly rank: number })[];
};

/** A score with its sources, the pairs of the largest magnitude first. */
export type ReasonsAnswer = {
  readonly score: number;
  readonly dot: number;
  readonly weight: number;
  /** Pairs: what the query was made of, what the key was made of, and their part of the score. */
  readonly pairs: readonly { query: PartSource; key: PartSource; value: number }[];
  /** Sum of all pairs that are not listed. */
  readonly rest: number;
};

/** A logit, or a difference of two, with its sources, the largest magnitude first. */
export type PartsAnswer = {
  readonly logit: number;
  readonly token: Prediction;
  /** The token whose logit is subtracted. */
  readonly minus: Prediction | undefined;
  readonly parts: readonly LogitPart[];
};

/** The effect of patches of a source text, by estimate. */
export type PatchAnswer = {
  /** Full names of the patched tensors, a row each. */
  readonly names: readonly string[];
  readonly columns: number;
  /** `[rows, columns]`: the difference of logits with each patch. */
  readonly values: Float32Array;
  readonly unpatched: number;
  readonly source: number;
  readonly sourceTokens: readonly string[];
  /** The token whose logit is measured. */
  readonly token: Prediction;
  /** The token whose logit is subtracted. */
  readonly minus: Prediction | undefined;
  /** Likeliest next tokens of the source, ten of them. */
  readonly sourceNext: readonly Prediction[];
};

/** Two texts of as many tokens, and the tokens whose logits are compared after the last. */
export type PatchQuestion = TextQuestion & {
  readonly source: string;
  /**
   * Default: the likeliest of the text, and as `minus` the likeliest of the source. Where both are the same, among the ten likeliest of
   * both texts the one whose logit falls most in the source, and as `minus` the one whose logit rises most.
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
  /** Runs a text: the pass that other answers about it begin with. */
  run(
    question: TextQuestion & { readonly tokens?: readonly number[] },
    asking?: Asking,
  ): Promise<LensSessionRun>;
  /** The weights of one head: of a short text kept, of a long one computed again up to its layer. */
  head(question: HeadPlace & TextQuestion, asking?: Asking): Promise<HeadAnswer>;
  /** The tokens of the text that heads copy. */
  copying(
    question: TextQuestion & { readonly heads: readonly HeadPlace[]; readonly positions?: number },
    asking?: Asking,
  ): Promise<CopyingAnswer>;
  /**
   * A text of random tokens that occurs twice, on which induction heads are found: nothing but the repetition tells the next token.
   * `length`: its tokens before the repetition, 20 unless it is given.
   */
  repeatedTokens(question: { readonly length?: number; readonly seed: number }): Promise<string>;
  /** Predictions that the final norm and the output embedding read after each layer at some positions, and those of `tokens`. */
  logitLens(
    question: TextQuestion & {
      readonly positions: readonly number[];
      readonly top?: number;
      readonly tokens?: readonly number[];
    },
    asking?: Asking,
  ): Promise<LayerPrediction[]>;
  /** The reasons of a score of attention. */
  scoreParts(
    question: ScorePlace & TextQuestion & { readonly pairs?: number },
    asking?: Asking,
  ): Promise<ReasonsAnswer>;
  /** The sources of a score of attention, and of the heads among them, as `scoreGraph` traces them back. */
  scoreGraph(question: ScorePlace & ScoreGraphOptions & TextQuestion, asking?: Asking): Promise<ScoreGraph>;
  /** The parts of the logit of a next token, or of a difference of two; of a text that was run, without a pass. */
  logitParts(
    question: TextQuestion & { readonly token?: number; readonly minus?: number },
    asking?: Asking,
  ): Promise<PartsAnswer>;
  /** Next tokens without some heads and layers: the likeliest ten, and those of `tokens`. */
  ablate(
    question: {
      readonly text: string;
      readonly targets: readonly AblationTarget[];
      readonly tokens?: readonly number[];
    },
    asking?: Asking,
  ): Promise<{ readonly next: readonly Prediction[]; readonly watched: readonly Prediction[] }>;
  /** The whole map of patches, estimated by one gradient. */
  attributionPatching(question: PatchQuestion, asking?: Asking): Promise<PatchAnswer>;
  /** One patch, exactly: the difference of logits after it. */
  patch(
    question: PatchQuestion & { readonly token: number; readonly place: PatchPlace },
    asking?: Asking,
  ): Promise<number>;
};
