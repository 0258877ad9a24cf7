import type { PictureData } from "../../check-data.js";

/** Ways to build heads. */
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
  /** Projection matrices `[O, C]`, head by head. 0 for inputs that a head does not read. */
  projections: Readonly<Record<ProjectionName, PictureData>>;
  /** `[T, O]` */
  projected: Readonly<Record<ProjectionName, PictureData>>;
  /** `[H · T, T]` */
  weights: PictureData;
  /** Outputs of the heads, `[T, O]`. */
  heads: PictureData;
  /** Output projection W_O, `[C, O]`. Undefined for summed heads. */
  output?: PictureData;
  /** Contribution of each head to the output, `[H · T, C]`. */
  writes: PictureData;
  /** `[T, C]` */
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
  /** Parameters of each construction at the width of the base model of 2017, `embedDim` 512. */
  large: { embedDim: number; numHeads: number; parameters: Readonly<Record<ConstructionName, number>> };
};
