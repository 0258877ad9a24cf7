import { l2Norm, vector, type Chosen, type TransformerBlockModel } from "./model.js";
import { percentileScale } from "./vector-bars.js";
import type { View } from "./view.js";

/** Scales that rows share. */
export type Scales = {
  /** Number at full height of the bars of the stream and of the added vectors. Default: each vector has its own. */
  stream?: number;
  /** The longest vector. */
  norm: number;
  /** The largest contribution to the logit. */
  logit: number;
};

/** Scales of one token. A block has one scale, so that sums can be seen; in the whole model each vector has its own. */
export function sharedScales(
  { stream, writes }: TransformerBlockModel,
  { t, l, target }: Chosen,
  { zoom }: View,
): Scales {
  const vectors = [...stream, ...writes].map((frame) => vector(frame, t));
  const block = [...stream.slice(2 * l, 2 * l + 3), ...writes.slice(2 * l, 2 * l + 2)];
  return {
    ...(zoom === "block" && { stream: percentileScale(block.map((frame) => vector(frame, t))) }),
    norm: Math.max(...vectors.map(l2Norm)),
    logit: Math.max(...target.parts.map(Math.abs), ...target.heads.flat().map(Math.abs)),
  };
}
