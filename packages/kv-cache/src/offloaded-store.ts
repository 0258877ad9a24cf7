import type { KeyValues } from "@qkv/attention-contract";
import type { Device, Tensor } from "@qkv/tensor";
import { contiguousStore, doubling } from "./contiguous-store.js";
import type { KeyValueStore } from "./layer-store.js";
import { tokenFile, type TokenFile } from "./token-file.js";

/** The layers that are in memory: the most recently used ones (LRU). */
export type ResidentLayers = {
  /** Marks a layer as used, and evicts the least recently used ones beyond the limit. */
  use(layer: { evict(): void }): void;
  forget(layer: { evict(): void }): void;
};

/** Keeps at most `limit` layers in memory. */
export function residentLayers(limit: number): ResidentLayers {
  const inside = new Set<{ evict(): void }>();
  return {
    use(layer) {
      inside.delete(layer);
      inside.add(layer);
      for (const oldest of inside) {
        if (inside.size <= limit) return;
        inside.delete(oldest);
        oldest.evict();
      }
    },
    forget: (layer) => void inside.delete(layer),
  };
}

type State = {
  file: { tokens: TokenFile; owners: number } | undefined;
  lengths: readonly number[];
  device: Device | undefined;
};

/** One layer with its tokens on disk, and in memory too while it is among the most recently used ones. */
export function offloadedStore(
  folder: string,
  memory: ResidentLayers,
  initial: State = { file: undefined, lengths: [], device: undefined },
): KeyValueStore {
  let { file, lengths, device } = initial;
  let inner: KeyValueStore | undefined;
  const self = {
    evict() {
      inner?.clear();
      inner = undefined;
    },
  };
  /** The layer in memory; read from disk if it is not. */
  const loaded = (): KeyValueStore => {
    if (!inner) {
      inner = contiguousStore(doubling);
      if (file) {
        const tensors = file.tokens.read(Math.max(0, ...lengths), device!);
        inner = inner.fromSaved({ tensors, numbers: { lengths } });
      }
    }
    memory.use(self);
    return inner;
  };
  const releaseFile = () => {
    if (!file) return;
    file.owners -= 1;
    if (file.owners === 0) file.tokens.remove();
    file = undefined;
  };
  /** A file that nobody else holds, for tokens like these. */
  const ownFile = (key: Tensor, value: Tensor): TokenFile => {
    if (file && file.owners > 1) {
      const tokens = file.tokens.copy();
      releaseFile();
      file = { tokens, owners: 1 };
    }
    const [batches, heads, , keyDim] = key.shape as [number, number, number, number];
    file ??= { tokens: tokenFile(folder, { batches, heads, keyDim, valueDim: value.shape[3]! }), owners: 1 };
    return file.tokens;
  };
  /** Writes all tokens in memory to a file of its own. */
  const rewrite = (): void => {
    const saved = loaded().save()!;
    const { key, value } = saved.tensors as { key: Tensor; value: Tensor };
    releaseFile();
    ownFile(key, value).write(new Array<number>(key.shape[0]!).fill(0), key, value);
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
      return inner?.bytes ?? 0;
    },
    append(key, value): KeyValues {
      device = key.device;
      const starts = file ? lengths : new Array<number>(key.shape[0]!).fill(0);
      const read = loaded().append(key, value);
      ownFile(key, value).write(starts, key, value);
      lengths = starts.map((n) => n + key.shape[2]!);
      return read;
    },
    read: () => loaded().read(),
    checkCrop: () => undefined,
    crop(kept) {
      lengths = kept;
      inner?.crop(kept);
    },
    fork() {
      if (file) file.owners += 1;
      return offloadedStore(folder, memory, { file, lengths, device });
    },
    selectBatches(ids) {
      if (!file) return;
      const own = loaded();
      own.selectBatches(ids);
      lengths = own.lengths;
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
      // Checked against what is here, if anything is.
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
