import type { PagePool } from "./page-pool.js";

/** A node of the tree: a page of tokens after those of its ancestors, with an optional checkpoint after its last token. */
type Node<C> = {
  /** Index of the page in the pool. */
  readonly page: number;
  /** Token ids of the page, joined by commas. Fewer than the page length if the prefix ends at a checkpoint. */
  readonly text: string;
  readonly parent: Node<C> | undefined;
  readonly children: Map<string, Node<C>>;
  checkpoint: C | undefined;
};

/** A prefix that was found in the tree. */
export type PrefixMatch<C> = {
  /** Number of tokens. */
  readonly tokens: number;
  /** The pages that hold them. */
  readonly pages: number[];
  /** The checkpoint after its last token. */
  readonly checkpoint: C | undefined;
};

/** A map from prefixes to the pages that hold them, and to checkpoints after their last token. */
export type PrefixTree<C> = {
  /** Finds the longest prefix of `ids` in the tree, of at most `limit` tokens. */
  match(ids: readonly number[], limit: number): PrefixMatch<C>;
  /** Adds the pages that hold `ids`, and the checkpoint after the last of them, which the tree then owns. */
  insert(ids: readonly number[], pages: readonly number[], checkpoint?: C): void;
  /** Removes all prefixes. */
  clear(): void;
  /** Number of pages in the tree. */
  readonly size: number;
  /** All checkpoints in the tree. */
  readonly checkpoints: readonly C[];
};

/** Options of a tree with checkpoints: a match then ends at a checkpoint, since the states of some layers exist only there. */
export type CheckpointOptions<C> = {
  /** Largest number of checkpoints. The least recently used is released first. */
  readonly limit: number;
  /** Frees the memory of a checkpoint. */
  release(checkpoint: C): void;
};

/**
 * A radix tree over pages: each edge is a page of tokens, so sequences with a common prefix share its nodes and pages. The tree
 * is an owner of its pages. When the pool has no free page, it evicts the pages that no cache uses, the least recently used
 * first.
 *
 * @param checkpointOptions - Default: no checkpoints; a match ends at the end of a full page.
 * @see "SGLang: Efficient Execution of Structured Language Model Programs" (2023), arXiv:2312.07104, RadixAttention
 */
export function prefixTree<C>(pool: PagePool, checkpointOptions?: CheckpointOptions<C>): PrefixTree<C> {
  const { pageLength } = pool;
  const root = new Map<string, Node<C>>();
  // Nodes from the least to the most recently used. Paths are marked from leaf to root, so no node is older than its children.
  const leastRecentlyUsed = new Set<Node<C>>();
  const markUsed = (path: readonly Node<C>[]) => {
    for (const node of [...path].reverse()) {
      leastRecentlyUsed.delete(node);
      leastRecentlyUsed.add(node);
    }
  };
  const pageKey = (ids: readonly number[], page: number) =>
    ids.slice(page * pageLength, (page + 1) * pageLength).join();
  const isFull = ({ text }: Node<C>) => text.split(",").length === pageLength;
  /** Removes a node and its descendants, which cannot be reached without it. */
  const remove = (node: Node<C>) => {
    for (const child of node.children.values()) remove(child);
    (node.parent?.children ?? root).delete(node.text);
    leastRecentlyUsed.delete(node);
    pool.release(node.page);
    if (node.checkpoint !== undefined) checkpointOptions!.release(node.checkpoint);
  };
  const nodesWithCheckpoint = () =>
    [...leastRecentlyUsed].filter(({ checkpoint }) => checkpoint !== undefined);
  /** Releases the least recently used checkpoints until at most `limit` are left. Partly filled pages are removed with theirs. */
  const releaseOldest = (limit: number) => {
    const nodes = nodesWithCheckpoint();
    for (const node of nodes.slice(0, Math.max(0, nodes.length - limit))) {
      if (!isFull(node)) remove(node);
      else {
        checkpointOptions!.release(node.checkpoint!);
        node.checkpoint = undefined;
      }
    }
  };
  const isEvictable = (node: Node<C>) => pool.refCount(node.page) === 1;
  /**
   * The longest prefix of `ids` of at most `limit` tokens that ends at a checkpoint. It consists of the first pages of `path`,
   * which are full, and possibly of one partly filled page.
   */
  const upToCheckpoint = (path: readonly Node<C>[], ids: readonly number[], limit: number) => {
    for (let full = path.length; full >= 0; full--) {
      const start = full * pageLength;
      const children = path[full - 1]?.children ?? root;
      for (let end = Math.min(start + pageLength - 1, limit); end > start; end--) {
        const node = children.get(ids.slice(start, end).join());
        if (node) return { path: [...path.slice(0, full), node], tokens: end };
      }
      if (path[full - 1]?.checkpoint !== undefined) return { path: path.slice(0, full), tokens: start };
    }
    return { path: [], tokens: 0 };
  };

  pool.evictable = {
    count: () => [...leastRecentlyUsed].filter(isEvictable).length,
    evict() {
      // A node is never older than its children, so the first evictable node has no evictable children.
      for (const node of leastRecentlyUsed) {
        if (!isEvictable(node)) continue;
        remove(node);
        return;
      }
    },
  };
  return {
    match(ids, limit) {
      const full: Node<C>[] = [];
      let children = root;
      while ((full.length + 1) * pageLength <= limit) {
        const next = children.get(pageKey(ids, full.length));
        if (!next) break;
        full.push(next);
        children = next.children;
      }
      const { path, tokens } = checkpointOptions
        ? upToCheckpoint(full, ids, limit)
        : { path: full, tokens: full.length * pageLength };
      markUsed(path);
      return { tokens, pages: path.map(({ page }) => page), checkpoint: path.at(-1)?.checkpoint };
    },
    insert(ids, pages, checkpoint) {
      const path: Node<C>[] = [];
      let children = root;
      pages.forEach((page, i) => {
        const text = pageKey(ids, i);
        let node = children.get(text);
        if (!node) {
          node = { page, text, parent: path.at(-1), children: new Map(), checkpoint: undefined };
          children.set(text, node);
          pool.retain(page);
        }
        path.push(node);
        children = node.children;
      });
      markUsed(path);
      if (checkpoint === undefined) return;
      const last = path.at(-1);
      if (last && last.checkpoint === undefined) last.checkpoint = checkpoint;
      else checkpointOptions!.release(checkpoint); // the prefix already has a checkpoint, or `ids` is empty
      releaseOldest(checkpointOptions!.limit);
    },
    clear() {
      for (const node of [...root.values()]) remove(node);
    },
    get size() {
      return leastRecentlyUsed.size;
    },
    get checkpoints() {
      return nodesWithCheckpoint().map(({ checkpoint }) => checkpoint!);
    },
  };
}
