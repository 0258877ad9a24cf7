import type { Traits } from "./architectures.js";
import type { Fields } from "./config-fields.js";
import type { DenseFeedForward, FeedForwardShape } from "./model-shape.js";
/** What follows the attention of a layer: one network, or many of which each token passes a few. */
export declare function readFeedForward(fields: Fields, traits: Traits, layer: number): FeedForwardShape;
/** One network of a given hidden width. */
export declare function readDense(fields: Fields, traits: Traits, hiddenDim: number): DenseFeedForward;
/** The hidden width, where it stands or as the architecture has it. */
export declare function readHidden(fields: Fields, { hiddenTimes }: Traits): number;
