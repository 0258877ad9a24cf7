import type { AttentionShape, Norm } from "./model-shape.js";
import { type Part, type Rows } from "./part.js";
/** Where attention stands: the width and norms of its model, and whether keys come from another sequence. */
export type Place = {
  readonly embedDim: number;
  readonly norm: Norm;
  readonly rows: Rows;
  readonly role: "self" | "cross" | "encoder";
};
/** The parts of an attention layer, from its input to its output projection. */
export declare function attentionParts(shape: AttentionShape, place: Place): Part[];
