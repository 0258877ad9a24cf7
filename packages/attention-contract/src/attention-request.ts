import type { Expression } from "./expressions/expression.js";
import type { KeyValues } from "./key-values/key-values.js";
import type { TilePlan } from "./tile-plan.js";

/**
 * What one call of attention is, besides its tensors: the attributes of `kernels.attention`. Inputs are query, the key
 * parts, the value parts, the tables that the expressions look up, and sinks; outputs are the mixture, the logarithm of
 * the sum, and what is wanted.
 */
export type AttentionRequest = {
  /** Number of key parts, and of value parts. */
  readonly parts: number;
  /**
   * How the key parts lie, then the value parts: undefined for a plain tensor. Of a part in blocks the input is the
   * blocks' data; scales come after all other inputs, in the order of their parts. Absent where all are plain.
   */
  readonly layouts?: readonly (BlockLayout | undefined)[];
  readonly positions: KeyValues["positions"];
  /** Position of the first query: one, or one for each batch where batches are of different lengths. */
  readonly firstQuery: number | Int32Array;
  readonly plan: TilePlan;
  readonly scale: number;
  /** 0: off. */
  readonly softcap: number;
  readonly scoreMod: Expression | undefined;
  readonly weightMod: Expression | undefined;
  readonly hasSinks: boolean;
};

/** How one part lies, for kernels. */
export type BlockLayout = {
  readonly table: Int32Array;
  readonly blockLength: number;
  /** Tokens of the longest batch. */
  readonly length: number;
  readonly scaled: boolean;
};

/** The intermediate tensors of attention, by name. */
export type TraceName = "dots" | "capped" | "scores" | "weights" | "lse";
