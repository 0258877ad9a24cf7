import type { PagePool } from "./page-pool.js";

/** A page of tokens, what followed it, and what else is known of the tokens up to its end. */
type Node<C> = {
  readonly page: number;
  /** Its ids: as many as a page has tokens, or fewer where tokens end at a checkpoint. */
  readonly text: string;
  readonly parent: Node<C> | undefined;
  readonly children: Map<string, Node<C>>;
  checkpoint: C | undefined;
};

/** A prefix that is in the tree. */
export type PrefixMatch<C> = {
  /** Number of tokens. */
  readonly tokens: number;
  /** The pages that hold them. */
  readonly pages: number[];
  /** The checkpoint after the last of them. */
  readonly checkpoint: C | undefined;
};

/** An index from prefixes to the pages that hold them, and to checkpoints at their ends. */
export type PrefixTree<C> = {
  /** The longest prefix of the tokens in the tree, at most `most` tokens. */
  match(ids: readonly number[], most: number): PrefixMatch<C>;
  /** Adds pages that hold the tokens, from the first on, and the checkpoint after the last token, which belongs to the tree. */
  insert(ids: readonly number[], pages: readonly number[], checkpoint?: C): void;
  /** Removes all prefixes. */
  clear(): void;
  /** Pages that it holds. */
  readonly size: number;
  /** Checkpoints that it holds. */
  readonly checkpoints: readonly C[];
};

/** Checkpoints of a tree: a prefix then ends at one of them, since some layers hold no single tokens. */
export type CheckpointOptions<C> = {
  /** The most that the tree holds; the least recently used is released first. */
  readonly most: number;
  release(checkpoint: C): void;
};

/**
 * A radix tree over pages: each edge is a page of tokens, so that sequences share the nodes and pages of a common prefix. The tree
 * is an owner of its pages. When the pool is full it evicts those that no cache uses, the least recently used first.
 *
 * @param checkpointed - Default: pages are all that a prefix needs, and it ends at the end of any full page.
 */
export function prefixTree<C>(pool: PagePool, checkpointed?: CheckpointOptions<C>): PrefixTree<C> {
  const { pageLength } = pool;
  const root = new Map<string, Node<C>>();
  // From the least to the most recently used. A path is touched from its end, so that no node is older than what follows it.
  const leastRecentlyUsed = new Set<Node<C>>();
  const touch = (path: readonly Node<C>[]) => {
    for (const node of [...path].reverse()) {
      leastRecentlyUsed.delete(node);
      leastRecentlyUsed.add(node);
    }
  };
  const pageKey = (ids: readonly number[], page: number) =>
    ids.slice(page * pageLength, (page + 1) * pageLength).join();
  const isFull = ({ text }: Node<C>) => text.split(",").length === pageLength;
  /** Removes a node and what follows it: without its page they would not be found. */
  const drop = (node: Node<C>) => {
    for (const child of node.children.values()) drop(child);
    (node.parent?.children ?? root).delete(node.text);
    leastRecentlyUsed.delete(node);
    pool.release(node.page);
    if (node.checkpoint !== undefined) checkpointed!.release(node.checkpoint);
  };
  const withCheckpoint = () => [...leastRecentlyUsed].filter(({ checkpoint }) => checkpoint !== undefined);
  const releaseOldest = (most: number) => {
    const held = withCheckpoint();
    for (const node of held.slice(0, Math.max(0, held.length - most))) {
      if (!isFull(node)) drop(node);
      else {
        checkpointed!.release(node.checkpoint!);
        node.checkpoint = undefined;
      }
    }
  };
  const isEvictable = (node: Node<C>) => pool.refCount(node.page) === 1;
  /** The longest part of a path of full pages, or of its beginning and a page that is not full, that ends at a checkpoint. */
  const upToCheckpoint = (path: readonly Node<C>[], ids: readonly number[], most: number) => {
    for (let full = path.length; full >= 0; full--) {
      const start = full * pageLength;
      const children = path[full - 1]?.children ?? root;
      for (let end = Math.min(start + pageLength - 1, most); end > start; end--) {
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
      // Children of the least recently used node are in use, if it has any: unused ones would be older.
      for (const node of leastRecentlyUsed) {
        if (!isEvictable(node)) continue;
        drop(node);
        return;
      }
    },
  };
  return {
    match(ids, most) {
      const full: Node<C>[] = [];
      let children = root;
      while ((full.length + 1) * pageLength <= most) {
        const next = children.get(pageKey(ids, full.length));
        if (!next) break;
        full.push(next);
        children = next.children;
      }
      const { path, tokens } = checkpointed
        ? upToCheckpoint(full, ids, most)
        : { path: full, tokens: full.length * pageLength };
      touch(path);
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
      touch(path);
      if (checkpoint === undefined) return;
      const last = path.at(-1);
      if (last && last.checkpoint === undefined) last.checkpoint = checkpoint;
      else checkpointed!.release(checkpoint); // the same tokens have one, or there are none
      releaseOldest(checkpointed!.most);
    },
    clear() {
      for (const node of [...root.values()]) drop(node);
    },
    get size() {
      return leastRecentlyUsed.size;
    },
    get checkpoints() {
      return withCheckpoint().map(({ checkpoint }) => checkpoint!);
    },
  };
}
