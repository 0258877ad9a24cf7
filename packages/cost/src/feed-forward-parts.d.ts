import type { FeedForwardShape } from "./model-shape.js";
import { type Part, type Rows } from "./part.js";
/** The parts of what follows attention. */
export declare function feedForwardParts(shape: FeedForwardShape, embedDim: number, rows: Rows): Part[];
