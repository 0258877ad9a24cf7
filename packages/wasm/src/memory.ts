import { DeviceError } from "@qkv/core";

/** A WebAssembly memory and its allocator. */
export type WasmMemory = {
  readonly memory: WebAssembly.Memory;
  /** Views of all of it, as bytes, 32-bit integers and floats. Replaced when the memory grows. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly floats: Float32Array<ArrayBuffer>;
  readonly words: Int32Array<ArrayBuffer>;
  /**
   * Allocates at least `bytes` bytes, aligned to 64 bytes, or to 4096 from 64 KiB on. They are not zeroed. May replace the
   * memory's buffer.
   */
  allocate(bytes: number): number;
  free(pointer: number, bytes: number): void;
  /** Bytes in use, and their maximum so far. */
  readonly used: number;
  readonly peak: number;
  /** Largest size of the memory in bytes. */
  readonly limit: number;
};

export type MemoryOptions = {
  /** Address of the heap: the binary's static data is below. */
  firstByte: number;
  /** Largest size of the memory in bytes. Default: 4 GiB, the limit of 32-bit addresses. */
  maxBytes?: number;
  /** True for a shared memory, for threads. Default false. */
  shared?: boolean;
};

const pageSize = 65536;
/**
 * Alignment of allocations of 64 KiB and more, the size of a page of the operating system: hardware prefetchers stop at its end,
 * see docs/decisions/0008-read-patterns.md.
 */
const largeAlignment = 4096;
/** Alignment and granularity of other allocations, a cache line. */
const cacheLine = 64;
/** Largest number of pages by which the memory grows beyond the need: 32 MiB. */
const maxExtraPages = 512;
/** 4 GiB, the limit of 32-bit addresses. */
export const addressableBytes = 2 ** 32;

/**
 * Creates a memory with a first-fit allocator. Adjacent free blocks are merged, so that the memory grows only to the largest amount
 * in use at once plus fragmentation.
 */
export function wasmMemory({
  firstByte,
  maxBytes = addressableBytes,
  shared = false,
}: MemoryOptions): WasmMemory {
  const { memory, limit } = reserve(Math.floor(maxBytes / pageSize), shared);
  // Addresses where free blocks begin and end, in order; no two blocks are adjacent. Nothing above `end` is in use.
  const begins: number[] = [];
  const ends: number[] = [];
  let end = firstByte;
  let used = 0;
  let peak = 0;
  const createViews = () => {
    const buffer = memory.buffer as ArrayBuffer;
    return { bytes: new Uint8Array(buffer), words: new Int32Array(buffer), floats: new Float32Array(buffer) };
  };
  let views = createViews();
  return {
    memory,
    limit,
    get bytes() {
      return views.bytes;
    },
    get floats() {
      return views.floats;
    },
    get words() {
      return views.words;
    },
    allocate(bytes) {
      const size = rounded(bytes);
      const multiple = size < pageSize ? cacheLine : largeAlignment;
      let index = 0;
      let begin = end;
      let pointer = Math.ceil(end / multiple) * multiple;
      for (; index < begins.length; index++) {
        const free = begins[index]!;
        const from = Math.ceil(free / multiple) * multiple;
        if (from + size > ends[index]!) continue;
        begin = free;
        pointer = from;
        break;
      }
      const blockEnd = pointer + size;
      if (index === begins.length) {
        if (blockEnd > views.bytes.length) {
          grow(memory, blockEnd, limit, used);
          views = createViews();
        }
        end = blockEnd;
      }
      // The parts of the free block before and after the allocation stay free.
      const before = pointer > begin;
      const after = blockEnd < (ends[index] ?? blockEnd);
      if (before && after) {
        begins.splice(index + 1, 0, blockEnd);
        ends.splice(index, 0, pointer);
      } else if (before) {
        begins[index] = begin;
        ends[index] = pointer;
      } else if (after) {
        begins[index] = blockEnd;
      } else {
        begins.splice(index, 1);
        ends.splice(index, 1);
      }
      used += size;
      peak = Math.max(peak, used);
      return pointer;
    },
    free(pointer, bytes) {
      const size = rounded(bytes);
      used -= size;
      let [low, high] = [0, begins.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (begins[middle]! < pointer) low = middle + 1;
        else high = middle;
      }
      const blockEnd = pointer + size;
      const joinsPrevious = low > 0 && ends[low - 1] === pointer;
      if (joinsPrevious && begins[low] === blockEnd) {
        ends[low - 1] = ends[low]!;
        begins.splice(low, 1);
        ends.splice(low, 1);
      } else if (joinsPrevious) {
        ends[low - 1] = blockEnd;
      } else if (begins[low] === blockEnd) {
        begins[low] = pointer;
      } else {
        begins.splice(low, 0, pointer);
        ends.splice(low, 0, blockEnd);
      }
      if (ends[ends.length - 1] === end) {
        end = begins.pop()!;
        ends.pop();
      }
    },
    get used() {
      return used;
    },
    get peak() {
      return peak;
    },
  };
}

const rounded = (bytes: number) => Math.max(cacheLine, Math.ceil(bytes / cacheLine) * cacheLine);

/** Creates a memory with a maximum of `pages`, or of fewer if the engine cannot reserve so much address space. */
function reserve(pages: number, shared: boolean): { memory: WebAssembly.Memory; limit: number } {
  for (;;) {
    try {
      const memory = new WebAssembly.Memory({ initial: 16, maximum: pages, shared });
      return { memory, limit: pages * pageSize };
    } catch (error) {
      if (pages < 4096) throw error;
      pages = Math.floor(pages / 2);
    }
  }
}

function grow(memory: WebAssembly.Memory, bytes: number, limit: number, used: number): void {
  // Each growth has a cost, so the memory grows by more than needed, but by a limited amount.
  const pages = memory.buffer.byteLength / pageSize;
  const more = Math.min(Math.ceil(pages / 4), maxExtraPages);
  const wanted = Math.max(Math.ceil(bytes / pageSize), pages + more);
  try {
    if (bytes > limit) throw new RangeError("beyond the limit");
    memory.grow(Math.min(limit / pageSize, wanted) - pages);
  } catch (cause) {
    throw new DeviceError({
      fn: "wasm",
      argument: "memory",
      received: `${mebibytes(bytes)} MiB asked for, ${mebibytes(used)} MiB of it in use`,
      expected: `at most ${mebibytes(limit)} MiB (\`maxBytes\`), and what the machine gives`,
      fix: "use smaller batches, or wrap steps in `device.scope(() => …)`, which frees memory at its end.",
      cause,
    });
  }
}

const mebibytes = (bytes: number) => Math.ceil(bytes / 2 ** 20);
