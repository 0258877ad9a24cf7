import { resident, slice, write, bytesPerElement, type Tensor } from "@qkv/tensor";
import { buffer } from "./shared-tensors.js";

/**
 * Pages that caches take and give back. A page is the same stretch of tokens in every layer; who holds one counts as an
 * owner, and a page without owners is free.
 */
export type PagePool = {
  readonly pages: number;
  readonly pageLength: number;
  readonly numLayers: number;
  /** Keys `[pages, Hkv, pageLength, D]` and values of each layer, made by its first tokens. */
  readonly layers: ({ readonly key: Tensor; readonly value: Tensor } | undefined)[];
  /** Pages that can be had: free ones, and those that only the index of prefixes still holds. */
  readonly available: number;
  readonly bytes: number;
  /** Whether so many pages can be had. */
  has(count: number): boolean;
  owners(page: number): number;
  /** A page with one owner. There must be one. */
  take(): number;
  /** One more owner. */
  share(page: number): void;
  /** One owner less. */
  release(page: number): void;
  /** Copies a page's tokens in all layers. */
  copy(from: number, to: number): void;
  /** Makes the buffers of a layer, if there are none, and moves them to where its tokens are. */
  prepare(layer: number, key: Tensor, value: Tensor): void;
  /** Who can give pages up when no page is free: how many, and giving up one. */
  reserve: { count(): number; giveUp(): void } | undefined;
};

/** A pool of free pages. */
export function pagePool(sizes: { pages: number; pageLength: number; numLayers: number }): PagePool {
  const { pages, pageLength, numLayers } = sizes;
  const owners: number[] = [];
  // Pages from `untouched` on were never taken: they need no list, however many there are.
  let untouched = 0;
  const returned: number[] = [];
  const free = () => returned.length + pages - untouched;
  const layers = new Array<PagePool["layers"][number]>(numLayers).fill(undefined);
  const tensors = () => layers.flatMap((layer) => (layer ? [layer.key, layer.value] : []));
  const pool: PagePool = {
    ...sizes,
    layers,
    reserve: undefined,
    get available() {
      return free() + (pool.reserve?.count() ?? 0);
    },
    get bytes() {
      return tensors().reduce((sum, { storage, dtype }) => sum + storage.length * bytesPerElement(dtype), 0);
    },
    has: (count) => free() >= count || pool.available >= count,
    owners: (page) => owners[page]!,
    take() {
      if (free() === 0) pool.reserve?.giveUp();
      const page = returned.pop() ?? untouched++;
      owners[page] = 1;
      return page;
    },
    share(page) {
      owners[page]! += 1;
    },
    release(page) {
      owners[page]! -= 1;
      if (owners[page] === 0) returned.push(page);
    },
    copy(from, to) {
      for (const x of tensors()) write(x, 0, to, slice(x, 0, from, from + 1));
    },
    prepare(layer, key, value) {
      const like = (x: Tensor) => resident(buffer([pages, x.shape[1]!, pageLength, x.shape[3]!], x));
      const own = layers[layer];
      if (!own) layers[layer] = { key: like(key), value: like(value) };
      else if (own.key.device !== key.device)
        layers[layer] = { key: own.key.to(key.device), value: own.value.to(key.device) };
    },
  };
  return pool;
}
