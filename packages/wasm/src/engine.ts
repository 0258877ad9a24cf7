import type { WasmMemory } from "./memory.js";

/** The exports of the binary; each takes and returns numbers. */
export type Exports = Readonly<Record<string, (...args: number[]) => number>>;

/** The engine of the kernels: the binary's functions, their memory, and the threads that share the work. */
export type Engine = {
  readonly exports: Exports;
  readonly memory: WasmMemory;
  /** Threads that work on a call, the caller among them. */
  readonly threads: number;
  /**
   * Runs `exports[entry](item, scratch, ...args)` once for each item from 0 to `items - 1`, on all threads, in no
   * promised order: give the longest items the lowest numbers. Each item writes what no other item reads or writes, so
   * that results are the same for any number of threads. `scratch` is where the thread's own `scratchBytes` bytes
   * begin, at a multiple of 64, not zeroed.
   *
   * @returns True if all went well; false as soon as an entry returned a number other than 0; items that nobody had
   *   begun then are left out.
   * @throws {DeviceError} If a thread died or did not come to its end in time.
   */
  parallel(entry: string, items: number, scratchBytes: number, ...args: number[]): boolean;
};
