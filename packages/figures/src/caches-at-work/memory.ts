import { isPaged, storedPositions, type KeyValueSegment, type PagedBlocks } from "@qkv/attention-contract";
import type { KvCache } from "@qkv/kv-cache";
import { bytesPerElement, type Storage, type Tensor } from "@qkv/tensor";
import type { CachedSequence, CacheRegion, SlotToken, StoredAs } from "@qkv/viz/figures/caches-at-work";

/** Returns the number of a buffer. Buffers are numbered in the order of the first calls. */
export type BufferNumbers = (storage: Storage) => number;

export function bufferNumbers(): BufferNumbers {
  const numbers = new Map<Storage, number>();
  return (storage) => {
    const number = numbers.get(storage) ?? numbers.size;
    numbers.set(storage, number);
    return number;
  };
}

/** Memory of several caches. */
export type Memory = {
  regions: CacheRegion[];
  sequences: (Omit<CachedSequence, "reused"> | undefined)[];
  /** Bytes of all buffers in all layers. */
  bytes: number;
};

type Region = Omit<CacheRegion, "slots" | "holders"> & {
  holders: number[];
  slots: (SlotToken | undefined)[];
};

type Place = { region: Region; slot: number };

/** A segment of keys and values: the regions of its buffer, and the slot of each of its tokens. */
type Segment = { regions: Region[]; places: Place[] };

/**
 * Reads the memory of caches through the segments that attention gets: the slot of each token in layer 0, and the bytes of the
 * buffers of all layers. Memory that caches share is counted once.
 *
 * @param caches - The cache of each sequence; undefined before it begins.
 * @param options - `stores`: form of the tokens, default keys and values. `tokenBytes`: bytes of a token in float32, in all layers.
 */
export function readMemory(
  caches: readonly (KvCache | undefined)[],
  bufferNumber: BufferNumbers,
  { stores, tokenBytes }: { stores?: "latent" | "state" | undefined; tokenBytes: number },
): Memory {
  const regions = new Map<string, Region>();
  const storages = new Set<Storage>();
  const uniqueRegion = (region: Region): Region => {
    const unique = regions.get(region.id) ?? region;
    regions.set(unique.id, unique);
    return unique;
  };
  const sequences = caches.map((cache, sequence) => {
    if (!cache || cache.length === 0) return undefined;
    if (stores === "state") {
      const states = Array.from({ length: cache.numLayers }, (_, layer) => cache.state(layer)!);
      const stateStorages = states.flatMap((state) => Object.values(state).map(({ storage }) => storage));
      const bytes = stateStorages.reduce((sum, storage) => sum + storageBytes(storage), 0);
      const region = uniqueRegion({
        id: `${bufferNumber(stateStorages[0]!)}:0`,
        form: "buffer",
        block: 0,
        stored: "state",
        holders: [],
        bytes,
        slots: [undefined],
        span: bytes / tokenBytes,
      });
      region.slots[0] ??= { sequence, position: cache.length - 1 };
      region.holders.push(sequence);
      for (const storage of stateStorages) storages.add(storage);
      return { stored: new Array<StoredAs>(cache.length).fill("state"), blocks: [] };
    }
    const cached = cache.read(0);
    const segments = cached.key.map((key, i) =>
      cacheSegment(key, cached.value[i]!, bufferNumber, cache.numLayers),
    );
    if (stores === "latent")
      for (const region of segments.flatMap(({ regions }) => regions)) region.stored = "latent";
    const positions = storedPositions(cached, 1);
    const stored = new Array<StoredAs>(cache.length).fill("evicted");
    const blocks: number[] = [];
    const addToken = ({ region, slot }: Place, position: number) => {
      const own = uniqueRegion(region);
      stored[position] = own.stored;
      own.slots[slot] ??= { sequence, position };
      if (!own.holders.includes(sequence)) own.holders.push(sequence);
      if (own.form === "block" && !blocks.includes(own.block)) blocks.push(own.block);
    };
    for (const { regions } of segments) regions.forEach(uniqueRegion);
    const places = segments.flatMap(({ places }) => places);
    places.forEach((place, s) => {
      const position = "start" in positions ? positions.start + s : positions[s]!;
      // An evicting cache marks free slots by position -1.
      if (position >= 0) addToken(place, position);
    });
    // A full ring buffer also stores the token that is overwritten next, but attention does not read it any more.
    if (cache.stored > places.length) {
      const ring = uniqueRegion(places.at(-1)!.region);
      const slot = Array.from(ring.slots, (_, i) => i).find(
        (i) => !places.some((place) => place.region.id === ring.id && place.slot === i),
      )!;
      addToken({ region: ring, slot }, stored.lastIndexOf("evicted"));
    }
    for (let layer = 0; layer < cache.numLayers; layer++) {
      const { key, value } = cache.read(layer);
      for (const storage of [...key, ...value].flatMap(segmentStorages)) storages.add(storage);
    }
    return { stored, blocks };
  });
  const bytes = [...storages].reduce((sum, storage) => sum + storageBytes(storage), 0);
  return { regions: [...regions.values()], sequences, bytes };
}

function cacheSegment(
  key: KeyValueSegment,
  value: KeyValueSegment,
  bufferNumber: BufferNumbers,
  numLayers: number,
): Segment {
  const storages = [...new Set([...segmentStorages(key), ...segmentStorages(value)])]; // latents are both
  const bytes = numLayers * storages.reduce((sum, storage) => sum + storageBytes(storage), 0);
  return isPaged(key) ? blockSegment(key, bytes, bufferNumber) : bufferSegment(key, bytes, bufferNumber);
}

/** Slots of a contiguous slice of a buffer `[1, Hkv, capacity, D]`. */
function bufferSegment(key: Tensor, bytes: number, bufferNumber: BufferNumbers): Segment {
  const [, Hkv, length, D] = key.shape as [number, number, number, number];
  const capacity = key.storage.length / (Hkv * D);
  const first = (key.offset / D) % capacity;
  const region: Region = {
    id: `${bufferNumber(key.storage)}:0`,
    form: "buffer",
    block: 0,
    stored: "float32",
    holders: [],
    bytes,
    slots: new Array<undefined>(capacity).fill(undefined),
  };
  return {
    regions: [region],
    places: Array.from({ length }, (_, s) => ({ region, slot: first + s })),
  };
}

/** Blocks of a buffer `[blocks, Hkv, blockLength, D]`, and the slots of the tokens in their block table. */
function blockSegment(
  { data, table, blockLength, length }: PagedBlocks,
  bytes: number,
  bufferNumber: BufferNumbers,
): Segment {
  const blocks = data.shape[0]!;
  const regions = Array.from({ length: blocks }, (_, block): Region => ({
    id: `${bufferNumber(data.storage)}:${block}`,
    form: "block",
    block,
    stored: data.dtype === "int8" ? "int8" : "float32",
    holders: [],
    bytes: bytes / blocks,
    slots: new Array<undefined>(blockLength).fill(undefined),
  }));
  return {
    regions,
    places: Array.from({ length: Number(length) }, (_, s) => ({
      region: regions[table[Math.floor(s / blockLength)]!]!,
      slot: s % blockLength,
    })),
  };
}

const segmentStorages = (segment: KeyValueSegment): Storage[] =>
  isPaged(segment)
    ? [segment.data.storage, ...(segment.scale ? [segment.scale.storage] : [])]
    : [segment.storage];

const storageBytes = ({ dtype, length }: Storage): number => length * bytesPerElement(dtype);
