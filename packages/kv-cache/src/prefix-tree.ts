import type { PagePool } from "./page-pool.js";

/** A page of tokens, and what followed it. */
type Node = {
  readonly page: number;
  readonly text: string;
  readonly parent: Node | undefined;
  readonly children: Map<string, Node>;
};

/** An index from prefixes to the pages that hold them. */
export type PrefixTree = {
  /** The pages of the longest known beginning of the tokens, at most `most` pages. */
  match(ids: readonly number[], most: number): number[];
  /** Adds pages that hold the tokens, full ones from the first on. */
  insert(ids: readonly number[], pages: readonly number[]): void;
  /** Removes all prefixes. */
  clear(): void;
  /** Pages that it holds. */
  readonly size: number;
};

/**
 * A radix tree over pages: each edge is a page of tokens, so that sequences share the nodes and pages of a common prefix. The tree
 * is an owner of its pages. When the pool is full it evicts those that no cache uses, the least recently used first.
 */
export function prefixTree(pool: PagePool): PrefixTree {
  const { pageLength } = pool;
  const root = new Map<string, Node>();
  // From the least to the most recently used. A path is touched from its end, so that no node is older than what follows it.
  const leastRecentlyUsed = new Set<Node>();
  const touch = (path: readonly Node[]) => {
    for (const node of [...path].reverse()) {
      leastRecentlyUsed.delete(node);
      leastRecentlyUsed.add(node);
    }
  };
  const pageKey = (ids: readonly number[], page: number) =>
    ids.slice(page * pageLength, (page + 1) * pageLength).join();
  const drop = (node: Node) => {
    (node.parent?.children ?? root).delete(node.text);
    leastRecentlyUsed.delete(node);
    pool.release(node.page);
  };
  const isEvictable = (node: Node) => pool.refCount(node.page) === 1;

  pool.evictable = {
    count: () => [...leastRecentlyUsed].filter(isEvictable).length,
    evict() {
      for (const node of leastRecentlyUsed) {
        // A cache that uses a child uses its parent too: the oldest evictable node has no children.
        if (!isEvictable(node) || node.children.size > 0) continue;
        drop(node);
        return;
      }
    },
  };
  return {
    match(ids, most) {
      const path: Node[] = [];
      let children = root;
      while (path.length < most) {
        const next = children.get(pageKey(ids, path.length));
        if (!next) break;
        path.push(next);
        children = next.children;
      }
      touch(path);
      return path.map(({ page }) => page);
    },
    insert(ids, pages) {
      const path: Node[] = [];
      let children = root;
      pages.forEach((page, i) => {
        const text = pageKey(ids, i);
        let node = children.get(text);
        if (!node) {
          node = { page, text, parent: path.at(-1), children: new Map() };
          children.set(text, node);
          pool.retain(page);
        }
        path.push(node);
        children = node.children;
      });
      touch(path);
    },
    clear() {
      for (const node of [...leastRecentlyUsed]) drop(node);
    },
    get size() {
      return leastRecentlyUsed.size;
    },
  };
}
