import type { WasmMemory } from "./memory.js";

/** Exported functions of the binary. */
export type Exports = Readonly<Record<string, (...args: number[]) => number>>;

/** Exported kernels of the binary, their memory, and the threads that share the work. */
export type Engine = {
  readonly exports: Exports;
  readonly memory: WasmMemory;
  /** Number of threads, including the caller's. */
  readonly threads: number;
  /**
   * Runs `exports[entry](item, scratch, ...args)` once for each item from 0 to `items - 1`, on all threads, in no
   * guaranteed order: the longest items should have the lowest numbers. No item may read or write what another one writes, so
   * results are the same for any number of threads. `scratch` is the address of `scratchBytes` bytes of the thread's own, a
   * multiple of 64. They are not zeroed.
   *
   * @returns True if every call returned 0. After any other result no further item is started, and false is returned.
   * @throws {DeviceError} If a thread died or did not finish in time.
   */
  parallel(entry: string, items: number, scratchBytes: number, ...args: number[]): boolean;
};
