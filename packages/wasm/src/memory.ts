import { DeviceError } from "@qkv/core";

/** Memory of a WebAssembly instance, handed out in pieces. A piece that is given back serves the next of its size. */
export type WasmMemory = {
  readonly memory: WebAssembly.Memory;
  /** A piece of at least `bytes` bytes, at a multiple of 64. Not zeroed. May replace the memory's buffer. */
  take(bytes: number): number;
  giveBack(pointer: number, bytes: number): void;
  /** Bytes in use now, and at most. */
  readonly used: number;
  readonly peak: number;
};

const pageSize = 65536;
/** 4 GiB, what 32-bit pointers reach. */
const mostPages = 65536;

/**
 * @param firstByte - Where handing out begins: below lies what the kernels' binary keeps there.
 */
export function wasmMemory(firstByte: number): WasmMemory {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: mostPages });
  const free = new Map<number, number[]>();
  let end = firstByte;
  let used = 0;
  let peak = 0;
  return {
    memory,
    take(bytes) {
      const size = sizeClass(bytes);
      used += size;
      peak = Math.max(peak, used);
      const again = free.get(size)?.pop();
      if (again !== undefined) return again;
      const pointer = end;
      grow(memory, pointer + size);
      end += size;
      return pointer;
    },
    giveBack(pointer, bytes) {
      const size = sizeClass(bytes);
      used -= size;
      const list = free.get(size);
      if (list) list.push(pointer);
      else free.set(size, [pointer]);
    },
    get used() {
      return used;
    },
    get peak() {
      return peak;
    },
  };
}

/** Sizes come in eight steps to a doubling, so that pieces are used again and at most an eighth is wasted. */
function sizeClass(bytes: number): number {
  if (bytes <= 512) return Math.max(64, Math.ceil(bytes / 64) * 64);
  const step = 2 ** (Math.floor(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}

function grow(memory: WebAssembly.Memory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing <= 0) return;
  // Growing costs a little each time: ask for some more at once.
  const pages = memory.buffer.byteLength / pageSize;
  const wanted = Math.min(mostPages, Math.max(Math.ceil(bytes / pageSize), Math.ceil(pages * 1.25)));
  try {
    memory.grow(wanted - pages);
  } catch (cause) {
    throw new DeviceError({
      fn: "wasm",
      argument: "memory",
      received: `${Math.ceil(bytes / 2 ** 20)} MiB asked for`,
      expected: "at most 4 GiB, and what the machine gives",
      fix: "use smaller batches, or wrap steps in `device.scope(() => …)`, which gives memory back at its end.",
      cause,
    });
  }
}
