import { computedTiles, type FlashAttentionModel, type FlashTile } from "./model.js";

/** Progress of the walk over the tiles. */
export type Walk = {
  /** Tile in fast memory. */
  current?: FlashTile;
  /** Number of tiles of `model.tiles` that are done or skipped. */
  done: number;
  /** Progress of the stages of the current tile, from 0 to 1. */
  load: number;
  score: number;
  update: number;
};

const part = (progress: number, from: number, to: number) =>
  Math.min(1, Math.max(0, (progress - from) / (to - from)));

/** The walk at a step: step 0 shows the inputs, each further step one computed tile, and after them all tiles are done. */
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
