import type { PagePool } from "./page-pool.js";

/** A page of tokens, and what followed it. */
type Node = {
  readonly page: number;
  readonly text: string;
  readonly parent: Node | undefined;
  readonly children: Map<string, Node>;
};

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
export function prefixTree(pool: PagePool): PrefixTree {
  const { pageLength } = pool;
  const root = new Map<string, Node>();
  // From the longest unused to the last used. A path is touched from its end, so that no node is older than what follows it.
  const byUse = new Set<Node>();
  const touch = (path: readonly Node[]) => {
    for (const node of [...path].reverse()) {
      byUse.delete(node);
      byUse.add(node);
    }
  };
  const textOf = (ids: readonly number[], page: number) =>
    ids.slice(page * pageLength, (page + 1) * pageLength).join();
  const drop = (node: Node) => {
    (node.parent?.children ?? root).delete(node.text);
    byUse.delete(node);
    pool.release(node.page);
  };
  const unused = (node: Node) => pool.owners(node.page) === 1;

  pool.reserve = {
    count: () => [...byUse].filter(unused).length,
    giveUp() {
      for (const node of byUse) {
        // A cache that uses what follows a node uses the node too: what is unused and oldest has no successors.
        if (!unused(node) || node.children.size > 0) continue;
        drop(node);
        return;
      }
    },
  };
  return {
    find(ids, most) {
      const path: Node[] = [];
      let children = root;
      while (path.length < most) {
        const next = children.get(textOf(ids, path.length));
        if (!next) break;
        path.push(next);
        children = next.children;
      }
      touch(path);
      return path.map(({ page }) => page);
    },
    add(ids, pages) {
      const path: Node[] = [];
      let children = root;
      pages.forEach((page, i) => {
        const text = textOf(ids, i);
        let node = children.get(text);
        if (!node) {
          node = { page, text, parent: path.at(-1), children: new Map() };
          children.set(text, node);
          pool.share(page);
        }
        path.push(node);
        children = node.children;
      });
      touch(path);
    },
    clear() {
      for (const node of [...byUse]) drop(node);
    },
    get size() {
      return byUse.size;
    },
  };
}
