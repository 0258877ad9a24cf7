import { asyncDisposable } from "@qkv/core";
import type { Device, DeviceMemory, DeviceReport, Storage, TypedArray } from "@qkv/tensor";
import { allocateArray, checkAlive, scopes, viewArray, type ScopedStorage } from "@qkv/tensor/devices";
import type { Engine } from "./engine.js";
import { kernels } from "./kernels.js";
import {
  readPatterns,
  type PatternedKernel,
  type ReadPattern,
  type ReadPatternChoice,
} from "./read-pattern.js";
import type { WasmBuild } from "./sources.js";
import { createStorage, type WasmStorage } from "./storage.js";
import type { Pool } from "./threads/pool.js";

export type WasmReport = DeviceReport & {
  readonly build: WasmBuild;
  /** Number of threads, including the caller's. */
  readonly threads: number;
  /** Reason for a single thread where more were requested. */
  readonly whySingleThreaded: string | undefined;
  /** Read patterns of memory-bound kernels, with reasons: `decode` is attention of one query, `gemv` one row times a matrix. */
  readonly readPatterns: Readonly<Record<PatternedKernel, ReadPatternChoice>>;
};

export type WasmMemoryReport = DeviceMemory & {
  /** Current size of the WebAssembly memory in bytes, and its limit `maxBytes`. */
  readonly grownBytes: number;
  readonly maxBytes: number;
};

export type WasmDevice = Omit<Device, "report" | "memory"> & {
  report(): WasmReport;
  memory(): WasmMemoryReport;
  /** Ends the workers and starts new ones, after a `DeviceError`. Tensors keep their numbers. */
  restart(): Promise<void>;
  /**
   * Terminates the workers; until a restart the device refuses work. It has no effect on a device without workers, and frees no
   * memory: scopes free their intermediate tensors, the garbage collector all others.
   */
  close(): Promise<void>;
  /** `await using device = await wasm()` closes it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void>;
};

/** Terminates the workers of garbage-collected devices. */
const unreachable = /* @__PURE__ */ new FinalizationRegistry<Pool["shutdown"]>((shutdown) => shutdown.quit());

export function makeDevice(
  engine: Engine | Pool,
  build: WasmBuild,
  whySingleThreaded: string | undefined,
  readPattern: ReadPattern | "auto",
): WasmDevice {
  const { memory, threads } = engine;
  const pool = "restart" in engine ? engine : undefined;
  const patterns = readPatterns(readPattern);
  const name = `wasm,threads=${threads},${build}${readPattern === "auto" ? "" : `,${readPattern}`}`;
  const calls: Record<string, { device: number; plain: number }> = {};
  const garbageCollected = new FinalizationRegistry<[pointer: number, bytes: number]>(([pointer, bytes]) =>
    memory.free(pointer, bytes),
  );
  const free = (owned: ScopedStorage) => {
    const storage = owned as WasmStorage;
    if (storage.pointer === undefined) return;
    memory.free(storage.pointer, storage.bytes);
    storage.pointer = undefined;
  };
  /** The numbers of a storage as a typed array: its host array, or a view of the device's memory. */
  const typedArray = (storage: WasmStorage): TypedArray => {
    if (storage.array) return storage.array;
    const { dtype, pointer, length, view } = storage;
    const buffer = memory.bytes.buffer;
    if (view && view.buffer === buffer && view.byteOffset === pointer) return view;
    return (storage.view = viewArray(dtype, buffer, pointer!, length));
  };
  const { scope, recording, own, retain, active } = scopes(
    free,
    // A result that leaves the outermost scope is copied to a host array, which the garbage collector owns.
    (storage) => {
      const scopeResult = storage as WasmStorage;
      const array = allocateArray(scopeResult.dtype, scopeResult.length);
      array.set(typedArray(scopeResult));
      scopeResult.array = array;
      free(scopeResult);
    },
  );
  const close = async () => pool?.close();
  const device: WasmDevice = {
    name,
    kernels: kernels(engine, patterns),
    weightTypes: ["bfloat16", "float16"],
    scope,
    recording,
    retain(stored: Storage) {
      pool?.check();
      const storage = stored as WasmStorage;
      retain(storage);
      if (storage.pointer === undefined && storage.array) {
        const { array } = storage;
        storage.pointer = memory.allocate(storage.bytes);
        storage.array = undefined;
        typedArray(storage).set(array);
      }
      if (storage.pointer === undefined) return;
      // A storage may be retained twice, as the output of one layer and the input of the next: it must be freed once.
      garbageCollected.unregister(storage);
      garbageCollected.register(storage, [storage.pointer, storage.bytes], storage);
    },
    report: () => ({
      name,
      build,
      threads,
      whySingleThreaded,
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
      if (!active()) return createStorage(dtype, length, allocateArray(dtype, length, fn));
      const storage = createStorage(dtype, length);
      storage.pointer = memory.allocate(storage.bytes);
      if (zeroed) typedArray(storage).fill(0);
      own(storage);
      return storage;
    },
    fromHost: (dtype, array) => createStorage(dtype, array.length, array),
    array(storage) {
      checkAlive(storage);
      return typedArray(storage as WasmStorage);
    },
    isDeviceMemory: (storage) => (storage as WasmStorage).pointer !== undefined,
    countCall(op, ranOn) {
      (calls[op] ??= { device: 0, plain: 0 })[ranOn] += 1;
    },
    restart: async () => pool?.restart(),
    close,
    ...asyncDisposable(close),
  };
  if (pool) unreachable.register(device, pool.shutdown);
  return device;
}
