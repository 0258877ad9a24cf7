import type { KeyValues } from "@qkv/attention-contract";
import type { Device, Tensor } from "@qkv/tensor";
import { contiguousStore, doubling } from "./contiguous-store.js";
import type { KeyValueStore } from "./layer-store.js";
import { tokenFile, type TokenFile } from "./token-file.js";

/** The layers in memory: the most recently used ones (LRU). */
export type ResidentLayers = {
  /** Marks a layer as used, and evicts the least recently used ones beyond the limit. */
  use(layer: { evict(): void }): void;
  /** Removes a layer from the list without evicting it. */
  forget(layer: { evict(): void }): void;
};

/** Keeps at most `limit` layers in memory. */
export function residentLayers(limit: number): ResidentLayers {
  const leastRecentlyUsed = new Set<{ evict(): void }>();
  return {
    use(layer) {
      leastRecentlyUsed.delete(layer);
      leastRecentlyUsed.add(layer);
      for (const oldest of leastRecentlyUsed) {
        if (leastRecentlyUsed.size <= limit) return;
        leastRecentlyUsed.delete(oldest);
        oldest.evict();
      }
    },
    forget: (layer) => void leastRecentlyUsed.delete(layer),
  };
}

type State = {
  file: { tokens: TokenFile; owners: number } | undefined;
  lengths: readonly number[];
  device: Device | undefined;
};

/** Stores the tokens of one layer on disk, and also in memory while the layer is one of the most recently used ones. */
export function offloadedStore(
  folder: string,
  memory: ResidentLayers,
  initial: State = { file: undefined, lengths: [], device: undefined },
): KeyValueStore {
  let { file, lengths, device } = initial;
  let inMemory: KeyValueStore | undefined;
  const self = {
    evict() {
      inMemory?.clear();
      inMemory = undefined;
    },
  };
  /** Returns the store in memory, and reads it from disk if it was evicted. */
  const loaded = (): KeyValueStore => {
    if (!inMemory) {
      inMemory = contiguousStore(doubling);
      if (file) {
        const tensors = file.tokens.read(Math.max(0, ...lengths), device!);
        inMemory = inMemory.fromSaved({ tensors, numbers: { lengths } });
      }
    }
    memory.use(self);
    return inMemory;
  };
  const releaseFile = () => {
    if (!file) return;
    file.owners -= 1;
    if (file.owners === 0) file.tokens.remove();
    file = undefined;
  };
  /** Returns the file of this store for writing: a copy if forks share it, a new one if there is none yet. */
  const writableFile = (key: Tensor, value: Tensor): TokenFile => {
    if (file && file.owners > 1) {
      const tokens = file.tokens.copy();
      releaseFile();
      file = { tokens, owners: 1 };
    }
    const [batches, heads, , keyDim] = key.shape as [number, number, number, number];
    file ??= { tokens: tokenFile(folder, { batches, heads, keyDim, valueDim: value.shape[3]! }), owners: 1 };
    return file.tokens;
  };
  /** Writes all tokens in memory to a new file. */
  const rewrite = (): void => {
    const saved = loaded().save()!;
    const { key, value } = saved.tensors as { key: Tensor; value: Tensor };
    releaseFile();
    writableFile(key, value).write(new Array<number>(key.shape[0]!).fill(0), key, value);
  };

  return {
    get device() {
      return file && device;
    },
    get current() {
      return file && { ...loaded().current, batches: lengths.length };
    },
    get lengths() {
      return lengths;
    },
    get stored() {
      return Math.max(0, ...lengths);
    },
    get bytes() {
      return inMemory?.bytes ?? 0;
    },
    append(key, value): KeyValues {
      device = key.device;
      const starts = file ? lengths : new Array<number>(key.shape[0]!).fill(0);
      const read = loaded().append(key, value);
      writableFile(key, value).write(starts, key, value);
      lengths = starts.map((n) => n + key.shape[2]!);
      return read;
    },
    read: () => loaded().read(),
    checkCrop: () => undefined,
    crop(newLengths) {
      lengths = newLengths;
      inMemory?.crop(newLengths);
    },
    fork() {
      if (file) file.owners += 1;
      return offloadedStore(folder, memory, { file, lengths, device });
    },
    selectBatches(ids) {
      if (!file) return;
      const store = loaded();
      store.selectBatches(ids);
      lengths = store.lengths;
      rewrite();
    },
    clear() {
      self.evict();
      memory.forget(self);
      releaseFile();
      lengths = [];
    },
    save: () => (file ? loaded().save() : undefined),
    fromSaved({ tensors, numbers }) {
      // Checks the saved layer against the current one, if this store is not empty.
      loaded().fromSaved({ tensors, numbers }).clear();
      const { key, value } = tensors as { key: Tensor; value: Tensor };
      const [batches, heads, , keyDim] = key.shape as [number, number, number, number];
      const tokens = tokenFile(folder, { batches, heads, keyDim, valueDim: value.shape[3]! });
      tokens.write(new Array<number>(batches).fill(0), key, value);
      const state = { file: { tokens, owners: 1 }, lengths: numbers["lengths"]!, device: key.device };
      return offloadedStore(folder, memory, state);
    },
  };
}
