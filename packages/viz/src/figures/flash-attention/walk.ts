import { computedTiles, type FlashAttentionModel, type FlashTile } from "./model.js";

/** Place in the walk over the tiles. */
export type Walk = {
  /** Tile in fast memory. */
  current?: FlashTile;
  /** Index of the next tile in `model.tiles`: those before it are done or skipped. */
  done: number;
  /** Parts of the current tile that have been played, from 0 to 1. */
  load: number;
  score: number;
  update: number;
};

const part = (progress: number, from: number, to: number) =>
  Math.min(1, Math.max(0, (progress - from) / (to - from)));

/** Step 0 shows the inputs, then comes a step for each computed tile; after them all is done. */
export function walkAt(model: FlashAttentionModel, step: number, progress: number): Walk {
  const computed = computedTiles(model);
  if (step === 0) return { done: 0, load: 0, score: 0, update: 0 };
  const current = computed[step - 1];
  if (!current) return { done: model.tiles.length, load: 0, score: 0, update: 0 };
  return {
    current,
    done: model.tiles.indexOf(current),
    load: part(progress, 0, 0.25),
    score: part(progress, 0.25, 0.55),
    update: part(progress, 0.6, 0.95),
  };
}
