import type { Tensor } from "@qkv/tensor";

/** The S tokens of one sequence from which a cache evicts, in order of position in each head. The new tokens are the last. */
export type EvictionCandidates = {
  /** Keys, `[1, Hkv, S, D]`. */
  readonly key: Tensor;
  /** Values, `[1, Hkv, S, Dv]`. */
  readonly value: Tensor;
  /** Positions in the sequence: `[S]`, or `[Hkv, S]` row-major if heads store different tokens. */
  readonly positions: Int32Array;
  /** Number of new tokens. */
  readonly newTokens: number;
  /**
   * Queries of the last Q candidates, `[1, H, Q, D]`: all new tokens, and earlier ones up to `queryWindow` in total. Present if
   * the score reads queries.
   */
  readonly query?: Tensor;
  /** Scores of the older candidates at the previous step, `[1, Hkv, S - newTokens]`. Present if the score accumulates. */
  readonly previous?: Tensor;
};

/** A score by which a cache decides which tokens to evict: those with the lowest scores. */
export type EvictionScore = {
  readonly name: string;
  /** Number of last queries that the score reads; those of all new tokens are always present. 0: it reads no queries. */
  readonly queryWindow: number;
  /** True if a score is a sum over all steps: then it is computed at each step, even if nothing is evicted. */
  readonly accumulates: boolean;
  /**
   * Computes the scores, `[1, Hkv, S]`. The cache compares their means over the heads; if heads store different tokens, the scores
   * of each head.
   */
  score(candidates: EvictionCandidates): Tensor;
};
