import type { TokenizationModel } from "./model.js";

/** A merge at one of its places: it stands below its two parts. */
export type ForestNode = {
  key: string;
  merge: number;
  start: number;
  middle: number;
  end: number;
  /** Rows below the bytes, from 1. */
  level: number;
  /** Levels of its parts; 0 is a byte. */
  leftLevel: number;
  rightLevel: number;
};

/** A token of some moment, and the level on which it stands. */
export type ForestRoot = { start: number; end: number; level: number; merge?: number };

/** Every merge of a text at every place, in the order of the merges. */
export function mergeForest({ merges }: Pick<TokenizationModel, "merges">): ForestNode[] {
  const levels = new Map<number, number>();
  return merges.flatMap(({ places }, merge) =>
    places.map(({ start, middle, end }) => {
      const [leftLevel, rightLevel] = [levels.get(start) ?? 0, levels.get(middle) ?? 0];
      const level = 1 + Math.max(leftLevel, rightLevel);
      levels.set(start, level);
      return { key: `${start}:${end}`, merge, start, middle, end, level, leftLevel, rightLevel };
    }),
  );
}

/** The tokens of a text once so many merges are applied. */
export function rootsAfter(bytes: number, forest: readonly ForestNode[], merges: number): ForestRoot[] {
  const roots = new Map<number, ForestRoot>();
  for (let start = 0; start < bytes; start++) roots.set(start, { start, end: start + 1, level: 0 });
  for (const { merge, start, middle, end, level } of forest) {
    if (merge >= merges) break;
    roots.delete(middle);
    roots.set(start, { start, end, level, merge });
  }
  return [...roots.values()].sort((a, b) => a.start - b.start);
}
