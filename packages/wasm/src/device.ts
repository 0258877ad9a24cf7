import type { Device, DeviceMemory, DeviceReport, Storage, TypedArray } from "@qkv/tensor";
import { allocateArray, checkAlive, scopes, viewArray } from "@qkv/tensor/devices";
import type { Engine } from "./engine.js";
import { kernels } from "./kernels.js";
import {
  readPatterns,
  type PatternedKernel,
  type ReadPattern,
  type ReadPatternChoice,
} from "./read-pattern.js";
import type { WasmBuild } from "./sources.js";
import { bytesOf, storageOf, type WasmStorage } from "./storage.js";
import type { Pool } from "./threads/pool.js";

export type WasmReport = DeviceReport & {
  readonly build: WasmBuild;
  /** Threads that work on a call, the caller among them. */
  readonly threads: number;
  /** Why there is one thread where more were asked for. */
  readonly whyAlone: string | undefined;
  /** How kernels that are bound by memory read it, and why: `decode`, one query's attention; `gemv`, one row times a matrix. */
  readonly readPatterns: Readonly<Record<PatternedKernel, ReadPatternChoice>>;
};

export type WasmMemoryReport = DeviceMemory & {
  /** What the WebAssembly memory has grown to, and may grow to. */
  readonly grownBytes: number;
  readonly maxBytes: number;
};

export type WasmDevice = Omit<Device, "report" | "memory"> & {
  report(): WasmReport;
  memory(): WasmMemoryReport;
  /** Ends the workers and starts new ones, after a `DeviceError`. Tensors keep their numbers. */
  restart(): Promise<void>;
  /** Ends the workers. The device refuses further work, unless it is restarted. A device without workers stays as it is. */
  close(): Promise<void>;
};

/** Ends the workers of devices that nobody holds any more. */
const forgotten = /* @__PURE__ */ new FinalizationRegistry<Pool["ending"]>((ending) => ending.quit());

export function makeDevice(
  engine: Engine | Pool,
  build: WasmBuild,
  whyAlone: string | undefined,
  readPattern: ReadPattern | "auto",
): WasmDevice {
  const { memory, threads } = engine;
  const pool = "restart" in engine ? engine : undefined;
  const patterns = readPatterns(readPattern);
  const name = `wasm,threads=${threads},${build}${readPattern === "auto" ? "" : `,${readPattern}`}`;
  const calls: Record<string, { device: number; plain: number }> = {};
  const abandoned = new FinalizationRegistry<[pointer: number, bytes: number]>(([pointer, bytes]) =>
    memory.giveBack(pointer, bytes),
  );
  const giveBack = (storage: WasmStorage) => {
    if (storage.pointer === undefined) return;
    memory.giveBack(storage.pointer, bytesOf(storage));
    storage.pointer = undefined;
  };
  const arrayOf = (storage: WasmStorage): TypedArray => {
    if (storage.array) return storage.array;
    const { dtype, pointer, length, view } = storage;
    const buffer = memory.bytes.buffer;
    if (view && view.buffer === buffer && view.byteOffset === pointer) return view;
    return (storage.view = viewArray(dtype, buffer, pointer!, length));
  };
  const { scope, recording, own, keep, active } = scopes(
    (storage) => giveBack(storage as WasmStorage),
    // What leaves the outermost scope is copied out, and the collector's from then on.
    (storage) => {
      const left = storage as WasmStorage;
      const array = allocateArray(left.dtype, left.length);
      array.set(arrayOf(left));
      left.array = array;
      giveBack(left);
    },
  );
  const take = (storage: WasmStorage): void => {
    storage.pointer = memory.take(bytesOf(storage));
  };
  const device: WasmDevice = {
    name,
    kernels: kernels(engine, patterns),
    scope,
    recording,
    keep(stored: Storage) {
      pool?.check();
      const storage = stored as WasmStorage;
      keep(storage);
      if (storage.pointer === undefined && storage.array) {
        const { array } = storage;
        take(storage);
        storage.array = undefined;
        arrayOf(storage).set(array);
      }
      if (storage.pointer !== undefined)
        abandoned.register(storage, [storage.pointer, bytesOf(storage)], storage);
    },
    report: () => ({
      name,
      build,
      threads,
      whyAlone,
      readPatterns: patterns.report(),
      calls: structuredClone(calls),
    }),
    memory: () => ({
      bytes: memory.used,
      peakBytes: memory.peak,
      grownBytes: memory.memory.buffer.byteLength,
      maxBytes: memory.limit,
    }),
    allocate(dtype, length, zeroed = true, fn?: string): Storage {
      pool?.check();
      if (!active()) return storageOf(dtype, length, allocateArray(dtype, length, fn));
      const storage = storageOf(dtype, length);
      take(storage);
      if (zeroed) arrayOf(storage).fill(0);
      own(storage);
      return storage;
    },
    adopt: (dtype, array) => storageOf(dtype, array.length, array),
    array(storage) {
      checkAlive(storage);
      return arrayOf(storage as WasmStorage);
    },
    lends: (storage) => (storage as WasmStorage).pointer !== undefined,
    note(op, ranOn) {
      (calls[op] ??= { device: 0, plain: 0 })[ranOn] += 1;
    },
    restart: async () => pool?.restart(),
    close: async () => pool?.close(),
  };
  if (pool) forgotten.register(device, pool.ending);
  return device;
}
