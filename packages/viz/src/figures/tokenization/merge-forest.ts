import type { TokenizationModel } from "./model.js";

/** One application of a merge in the text: a node of the binary forest of merges. Byte offsets; `end` is excluded. */
export type ForestNode = {
  key: string;
  merge: number;
  start: number;
  middle: number;
  end: number;
  /** Height in its tree, from 1. Bytes have level 0. */
  level: number;
  /** Levels of its two children. */
  leftLevel: number;
  rightLevel: number;
};

/** A token after some merges: the root of a tree, or a byte of level 0. */
export type ForestRoot = { start: number; end: number; level: number; merge?: number };

/** All applications of all merges in a text, in the order of the merges. */
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

/** The tokens of a text after the first `merges` merges, in order of the text. */
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
