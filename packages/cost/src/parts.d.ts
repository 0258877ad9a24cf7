import type { ModelShape } from "./model-shape.js";
import { type Part } from "./part.js";
/** A part, and how many layers have it. */
export type PlacedPart = Part & {
  readonly times: number;
};
/** Everything that a model is made of. Equal layers are one entry. */
export declare function parts(shape: ModelShape): PlacedPart[];
