import type { PagePool } from "./page-pool.js";
/** Which pages hold which beginnings. */
export type PrefixTree = {
  /** The pages of the longest known beginning of the tokens, at most `most` pages. */
  find(ids: readonly number[], most: number): number[];
  /** Notes that these pages hold the tokens, whole pages from the first one on. */
  add(ids: readonly number[], pages: readonly number[]): void;
  /** Lets everything go. */
  clear(): void;
  /** Pages that it holds. */
  readonly size: number;
};
/**
 * A radix tree over pages: each edge is a page of tokens, so that beginnings that agree share nodes, and pages. The tree
 * is an owner of its pages. Where the pool runs short it gives up those that no cache uses, the longest unused first.
 */
export declare function prefixTree(pool: PagePool): PrefixTree;
