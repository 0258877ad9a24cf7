import type { WasmMemory } from "./memory.js";

/** The functions that the binary exports; each takes and returns numbers. */
export type Exports = Readonly<Record<string, (...args: number[]) => number>>;

/** Runs kernels: the binary's functions, their memory, and the threads that split the work. */
export type Engine = {
  readonly exports: Exports;
  readonly memory: WasmMemory;
  /** Threads that work on a call, the caller among them. */
  readonly threads: number;
  /**
   * Runs `exports[entry](item, scratch, ...args)` once for each item from 0 to `items - 1`, on all threads, in no
   * guaranteed order: give the longest items the lowest numbers. Each item writes what no other item reads or writes,
   * so that results are the same for any number of threads. `scratch` is the address of the thread's own `scratchBytes`
   * bytes, a multiple of 64. They are not zeroed.
   *
   * @returns True if every call returned 0. After any other number no further items are begun, and the result is false.
   * @throws {DeviceError} If a thread died or did not finish in time.
   */
  parallel(entry: string, items: number, scratchBytes: number, ...args: number[]): boolean;
};
