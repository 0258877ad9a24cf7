import { DeviceError } from "@qkv/core";

/** The allocator of a WebAssembly instance's memory. */
export type WasmMemory = {
  readonly memory: WebAssembly.Memory;
  /** All of it, as bytes, words and floats. Replaced when the memory grows. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly floats: Float32Array<ArrayBuffer>;
  readonly words: Int32Array<ArrayBuffer>;
  /**
   * Allocates at least `bytes` bytes, at a multiple of 64, of 4096 from 64 KiB on. Not zeroed. May replace the memory's
   * buffer.
   */
  allocate(bytes: number): number;
  free(pointer: number, bytes: number): void;
  /** Bytes in use now, and at most. */
  readonly used: number;
  readonly peak: number;
  /** Bytes that it may grow to. */
  readonly limit: number;
};

export type MemoryOptions = {
  /** First byte of the heap: the kernels' binary uses the bytes below. */
  firstByte: number;
  /** Bytes to grow to at most. Default: 4 GiB, what 32-bit addresses reach. */
  maxBytes?: number;
  /** True if threads share it. */
  shared?: boolean;
};

const pageSize = 65536;
/** Tensors of 64 KiB and more begin at its multiples: processors read ahead up to the end of such a block, see decision 8. */
const alignment = 4096;
/** Others take and begin at multiples of a line of the caches. */
const smallest = 64;
/** Most pages that growing adds beyond those needed: 32 MiB. */
const mostMore = 512;
export const mostBytes = 2 ** 32;

/**
 * First fit by address; freed neighbours join, so that the
 * memory grows no further than what was in use at once, and the gaps between.
 */
export function wasmMemory({ firstByte, maxBytes = mostBytes, shared = false }: MemoryOptions): WasmMemory {
  const { memory, limit } = reserve(Math.floor(maxBytes / pageSize), shared);
  // Free blocks in order of address; no two are adjacent. Nothing above `end` is in use.
  const begins: number[] = [];
  const ends: number[] = [];
  let end = firstByte;
  let used = 0;
  let peak = 0;
  const look = () => {
    const buffer = memory.buffer as ArrayBuffer;
    return { bytes: new Uint8Array(buffer), words: new Int32Array(buffer), floats: new Float32Array(buffer) };
  };
  let views = look();
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
      const multiple = size < pageSize ? smallest : alignment;
      let place = 0;
      let begin = end;
      let pointer = Math.ceil(end / multiple) * multiple;
      for (; place < begins.length; place++) {
        const free = begins[place]!;
        const from = Math.ceil(free / multiple) * multiple;
        if (from + size > ends[place]!) continue;
        begin = free;
        pointer = from;
        break;
      }
      const blockEnd = pointer + size;
      if (place === begins.length) {
        if (blockEnd > views.bytes.length) {
          grow(memory, blockEnd, limit, used);
          views = look();
        }
        end = blockEnd;
      }
      // The bytes of the block before and after the allocation stay free.
      const before = pointer > begin;
      const after = blockEnd < (ends[place] ?? blockEnd);
      if (before && after) {
        begins.splice(place + 1, 0, blockEnd);
        ends.splice(place, 0, pointer);
      } else if (before) {
        begins[place] = begin;
        ends[place] = pointer;
      } else if (after) {
        begins[place] = blockEnd;
      } else {
        begins.splice(place, 1);
        ends.splice(place, 1);
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
      const joins = low > 0 && ends[low - 1] === pointer;
      if (joins && begins[low] === blockEnd) {
        ends[low - 1] = ends[low]!;
        begins.splice(low, 1);
        ends.splice(low, 1);
      } else if (joins) {
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

const rounded = (bytes: number) => Math.max(smallest, Math.ceil(bytes / smallest) * smallest);

/** A memory that may grow to `pages`, or, on machines that reserve all of it at once and cannot, to less. */
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
  // Growing costs a little each time: ask for some more at once, but for a model of gigabytes not for many megabytes.
  const pages = memory.buffer.byteLength / pageSize;
  const more = Math.min(Math.ceil(pages / 4), mostMore);
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
