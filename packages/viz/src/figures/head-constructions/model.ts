import type { PictureData } from "../../check-data.js";

/** Ways to build heads. */
export const constructionNames = ["fused", "per-head", "split-input", "summed"] as const;
export type ConstructionName = (typeof constructionNames)[number];

/** Projections that a head reads with. */
export type ProjectionName = "query" | "key" | "value";

/** Settings that the reader chooses. */
export type HeadConstructionsChoices = {
  /** One that stands beside the fused layer, or all. */
  construction: "all" | Exclude<ConstructionName, "fused">;
  numHeads: number;
  projection: ProjectionName;
  token: number;
  /** Heads of the large layer whose parameters are counted. */
  largeHeads: number;
};

/** One layer, and its numbers for the same input. O is the width of all heads together. */
export type HeadConstruction = {
  name: ConstructionName;
  /** `[O, C]`, head by head; 0 where a head does not read. */
  projections: Readonly<Record<ProjectionName, PictureData>>;
  /** `[T, O]` */
  projected: Readonly<Record<ProjectionName, PictureData>>;
  /** `[H · T, T]` */
  weights: PictureData;
  /** Results of the heads, `[T, O]`. */
  heads: PictureData;
  /** W_O, `[C, O]`. Missing where heads are added as they are. */
  output?: PictureData;
  /** Vectors that heads add, `[H · T, C]`. */
  writes: PictureData;
  /** `[T, C]` */
  result: PictureData;
  /** Largest differences to the fused layer. */
  apart: Readonly<Record<ProjectionName | "result", number>>;
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
  /** All, the fused one first. */
  constructions: readonly HeadConstruction[];
  /** Parameters of each in a layer as wide as that of 2017. */
  large: { embedDim: number; numHeads: number; parameters: Readonly<Record<ConstructionName, number>> };
};
