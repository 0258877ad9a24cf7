import type { PictureData } from "../../check-data.js";

/**
 * Ways to build heads: one matrix for all heads, a matrix for each head, heads that each read only their slice of the input, and
 * heads of the full width whose outputs are added.
 */
export const constructionNames = ["fused", "per-head", "split-input", "summed"] as const;
export type ConstructionName = (typeof constructionNames)[number];

/** Projections of a head. */
export type ProjectionName = "query" | "key" | "value";

/** Settings that the reader chooses. */
export type HeadConstructionsChoices = {
  /** The construction that is compared with the fused layer, or "all". */
  construction: "all" | Exclude<ConstructionName, "fused">;
  numHeads: number;
  projection: ProjectionName;
  token: number;
  /** Number of heads of the large layer whose parameters are counted. */
  largeHeads: number;
};

/** One layer and its numbers. O is the width of all heads together. */
export type HeadConstruction = {
  name: ConstructionName;
  /** Projection matrices `[O, C]`, head by head. 0 for inputs that a head does not read, in `split-input`. */
  projections: Readonly<Record<ProjectionName, PictureData>>;
  /** The projected tokens, `[T, O]`. */
  projected: Readonly<Record<ProjectionName, PictureData>>;
  /** Attention weights, `[H · T, T]`. */
  weights: PictureData;
  /** Outputs of the heads, `[T, O]`. */
  heads: PictureData;
  /** Output projection W_O, `[C, O]`. Undefined for summed heads. */
  output?: PictureData;
  /** Contribution of each head to the output, `[H · T, C]`. */
  writes: PictureData;
  /** Output of the layer, `[T, C]`. */
  result: PictureData;
  /** Largest absolute differences to the fused layer. */
  maxDifference: Readonly<Record<ProjectionName | "result", number>>;
  parameters: number;
};

/** Numbers of the figure: layers of `@qkv/attention` over one input. */
export type HeadConstructionsModel = {
  tokens: readonly string[];
  /** C */
  embedDim: number;
  /** H */
  numHeads: number;
  /** D */
  headDim: number;
  /** `[T, C]` */
  x: PictureData;
  /** All constructions, the fused one first. */
  constructions: readonly HeadConstruction[];
  /** Parameters of each construction at the width of the base Transformer of 2017, `embedDim` 512. */
  large: { embedDim: number; numHeads: number; parameters: Readonly<Record<ConstructionName, number>> };
};
