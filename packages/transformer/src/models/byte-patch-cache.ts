import { checks } from "@qkv/core";
import { growingCache, type KvCache } from "@qkv/kv-cache";
import type { Tensor } from "@qkv/tensor";

/** The cache of a model with byte patches: for layers over bytes, and for layers over patches. */
export type BytePatchCache = KvCache & {
  /** The cache of layers over patches. An additional last layer holds their output and the end of each patch, in bytes. */
  readonly patches: KvCache;
};

/**
 * A growing cache for layers over bytes, with `patches` for layers over patches. Both change, fork and roll back together: `crop`
 * removes the patches whose last byte is removed.
 */
export const bytePatchCache = (byteLayers: number, patchLayers: number): BytePatchCache =>
  joinCaches(growingCache({ numLayers: byteLayers }), growingCache({ numLayers: patchLayers }));

function joinCaches(bytes: KvCache, patches: KvCache): BytePatchCache {
  const forBoth = (change: (cache: KvCache) => void): void => {
    for (const cache of [bytes, patches]) if (cache.lengths.length > 0) change(cache);
  };
  return {
    patches,
    numLayers: bytes.numLayers,
    update: bytes.update,
    read: bytes.read,
    state: bytes.state,
    advance: bytes.advance,
    discard: bytes.discard, // always throws: keys are stored rotated
    unrotatedKeys: false,
    get length() {
      return bytes.length;
    },
    get lengths() {
      return bytes.lengths;
    },
    get stored() {
      return bytes.stored;
    },
    get bytes() {
      return bytes.bytes + patches.bytes;
    },
    crop(length) {
      bytes.crop(length);
      if (patches.lengths.length === 0) return;
      const ends = patchEnds(patches);
      const patchCounts = Array.from(bytes.lengths, (n, b) => ends[b]!.filter((end) => end <= n).length);
      patches.crop(patchCounts);
    },
    fork: () => joinCaches(bytes.fork(), patches.fork()),
    reorder(ids) {
      forBoth((cache) => cache.reorder(ids));
    },
    repeat(times) {
      forBoth((cache) => cache.repeat(times));
    },
    reset() {
      forBoth((cache) => cache.reset());
    },
    save() {
      const files = [bytes.save(), patches.save()] as const;
      // Byte lengths of both files as uint32, then the files.
      const saved = new Uint8Array(8 + files[0].length + files[1].length);
      const header = new DataView(saved.buffer);
      files.forEach(({ length }, i) => header.setUint32(4 * i, length, true));
      saved.set(files[0], 8);
      saved.set(files[1], 8 + files[0].length);
      return saved;
    },
    restore(file, device) {
      const files = splitSaved(file);
      // Restored to forks first, so that both caches change or neither.
      const [a, b] = [bytes.fork(), patches.fork()];
      try {
        a.restore(files[0], device);
        b.restore(files[1], device);
      } finally {
        a.reset();
        b.reset();
      }
      bytes.restore(files[0], device);
      patches.restore(files[1], device);
    },
  };
}

/** End of each patch, in bytes from the start of the text, per batch. */
export function patchEnds(patches: KvCache): number[][] {
  const lengths = Array.from(patches.lengths);
  if (lengths.every((length) => length === 0)) return lengths.map(() => []);
  const { data, shape } = patches.read(patches.numLayers - 1).value[0] as Tensor; // [B, 1, P, 1]
  const ends = Array.from(data as Float32Array);
  return lengths.map((length, b) => ends.slice(b * shape[2]!, b * shape[2]! + length));
}

/** Splits a saved cache into its two parts. */
function splitSaved(file: Uint8Array): [Uint8Array, Uint8Array] {
  const hasHeader = file instanceof Uint8Array && file.length >= 8;
  const header = hasHeader ? new DataView(file.buffer, file.byteOffset, 8) : undefined;
  const [first = 0, second = 0] = header ? [header.getUint32(0, true), header.getUint32(4, true)] : [];
  if (!hasHeader || 8 + first + second !== file.length) {
    check.refuse({
      argument: "bytes",
      received: hasHeader ? `${file.length} bytes` : file,
      expected: "a saved cache of a model of byte patches, whole",
      fix: "give what `save()` of such a cache returned.",
    });
  }
  return [file.slice(8, 8 + first), file.slice(8 + first)];
}

const check = /* @__PURE__ */ checks("restore");
