import type { Tensor } from "@qkv/tensor";

/** Tokens of one sequence among which a cache chooses, in order of position in each head; the new ones are the last. */
export type EvictionCandidates = {
  /** [1, Hkv, S, D] */
  readonly key: Tensor;
  /** [1, Hkv, S, Dv] */
  readonly value: Tensor;
  /** Positions in the sequence: [S], or [Hkv, S] row-major where heads keep different tokens. */
  readonly positions: Int32Array;
  /** Number of new tokens. */
  readonly newTokens: number;
  /** Queries of the last Q candidates [1, H, Q, D]: the new ones, and up to `queryWindow` in all. For scores that read them. */
  readonly query?: Tensor;
  /** Scores of the candidates before the new ones [1, Hkv, S - newTokens], where the score accumulates. */
  readonly previous?: Tensor;
};

/** A score by which a cache chooses the tokens that it keeps. */
export type EvictionScore = {
  readonly name: string;
  /** Number of the last queries that the score reads; those of all new tokens are always there. 0: it reads none. */
  readonly queryWindow: number;
  /** True: a score is the sum of all steps, so each step is scored. */
  readonly accumulates: boolean;
  /** Scores [1, Hkv, S]. The cache keeps the tokens with the highest mean over the heads, or of each head those with its highest. */
  score(candidates: EvictionCandidates): Tensor;
};
