import { resident, slice, write, bytesPerElement, type Tensor } from "@qkv/tensor";
import type { RowLayout } from "./row-layout.js";
import { zeroBuffer } from "./shared-tensors.js";

/**
 * Pages that caches allocate and release. A page index refers to the same tokens in every layer. Pages are reference-counted:
 * each cache, sequence and prefix tree that uses a page is an owner, and a page without owners is free.
 */
export type PagePool = {
  readonly pages: number;
  readonly pageLength: number;
  readonly numLayers: number;
  /** Layout of tokens in the pages. */
  readonly layout: RowLayout;
  /** Keys `[pages, Hkv, pageLength, D]` and values of each layer, allocated with its first tokens. */
  readonly layers: ({ readonly key: Tensor; readonly value: Tensor } | undefined)[];
  /** Number of pages that can be allocated: free ones, and those whose only owner is the prefix tree. */
  readonly available: number;
  readonly bytes: number;
  /** True if `count` pages can be allocated. */
  canAllocate(count: number): boolean;
  /** Number of owners of a page. */
  refCount(page: number): number;
  /** Allocates a page with one owner, and returns its index. Call it only if `canAllocate(1)`. */
  allocate(): number;
  /** Adds an owner. */
  retain(page: number): void;
  /** Removes an owner. */
  release(page: number): void;
  /** Copies the tokens of page `from` to page `to`, in all layers. */
  copy(from: number, to: number): void;
  /** Creates the buffers of a layer if there are none, for rows like `key` and `value`, and moves them to their device. */
  ensureBuffers(layer: number, key: Tensor, value: Tensor): void;
  /** Pages that can be evicted if none is free, set by the prefix tree: their number, and a function that evicts one. */
  evictable: { count(): number; evict(): void } | undefined;
};

/** Creates a pool whose pages are all free. */
export function pagePool(
  sizes: { pages: number; pageLength: number; numLayers: number },
  layout: RowLayout,
): PagePool {
  const { pages, pageLength, numLayers } = sizes;
  const owners: number[] = [];
  // Pages from `nextUnused` on have never been allocated, and are not in the free list: a large pool costs nothing in advance.
  let nextUnused = 0;
  const freeList: number[] = [];
  const free = () => freeList.length + pages - nextUnused;
  const layers = new Array<PagePool["layers"][number]>(numLayers).fill(undefined);
  const tensors = () => layers.flatMap((layer) => (layer ? [layer.key, layer.value] : []));
  const pool: PagePool = {
    ...sizes,
    layout,
    layers,
    evictable: undefined,
    get available() {
      return free() + (pool.evictable?.count() ?? 0);
    },
    get bytes() {
      return tensors().reduce((sum, { storage, dtype }) => sum + storage.length * bytesPerElement(dtype), 0);
    },
    canAllocate: (count) => free() >= count || pool.available >= count,
    refCount: (page) => owners[page]!,
    allocate() {
      if (free() === 0) pool.evictable?.evict();
      const page = freeList.pop() ?? nextUnused++;
      owners[page] = 1;
      return page;
    },
    retain(page) {
      owners[page]! += 1;
    },
    release(page) {
      owners[page]! -= 1;
      if (owners[page] === 0) freeList.push(page);
    },
    copy(from, to) {
      for (const x of tensors()) write(x, 0, to, slice(x, 0, from, from + 1));
    },
    ensureBuffers(layer, key, value) {
      const like = (x: Tensor) => resident(zeroBuffer([pages, x.shape[1]!, pageLength, x.shape[3]!], x));
      const buffers = layers[layer];
      if (!buffers) layers[layer] = { key: like(key), value: like(value) };
      else if (buffers.key.device !== key.device)
        layers[layer] = { key: buffers.key.to(key.device), value: buffers.value.to(key.device) };
    },
  };
  return pool;
}
