import { ArgumentError, DeviceError } from "@qkv/core";
import type { Device, Storage, TypedArray } from "@qkv/tensor";
import { bytesPerElement } from "@qkv/tensor";
import { allocateArray, checkAlive, scopes, viewArray, type ScopedStorage } from "@qkv/tensor/devices";
import { relaxedSimd, simd } from "wasm-feature-detect";
import type { Engine, Exports } from "./engine.js";
import { kernels } from "./kernels.js";
import { wasmMemory } from "./memory.js";
import { alone } from "./threads/alone.js";

/** Which instructions the kernels use. `relaxed`: a product and a sum in one, where the engine knows it. */
export type WasmBuild = "plain" | "relaxed";

export type WasmOptions = {
  /** Default: the fastest that this engine runs. */
  build?: WasmBuild | "auto";
};

/** Numbers in the device's memory, or, where they belong to the program, in an array of its own. */
type WasmStorage = ScopedStorage & { pointer: number | undefined; array: TypedArray | undefined };

/**
 * A device of SIMD kernels in WebAssembly: float32 matrix products, attention, norms. What it has no kernel for runs the
 * plain one, on its memory.
 *
 * Outside a scope a result is an ordinary array that the collector owns. Inside `device.scope(() => …)` intermediate
 * tensors stay in the device's memory, without copies, and are given back at its end. Parameters are moved once, with
 * `tensor.to(device)`.
 *
 * @throws {DeviceError} Where WebAssembly or its SIMD is missing.
 *
 * @example
 * ```ts
 * import { matmul, randn } from "@qkv/tensor";
 * import { wasm } from "@qkv/wasm";
 *
 * const device = await wasm();
 * const weight = randn([64, 64], { seed: 1 }).to(device);
 * matmul(randn([8, 64], { seed: 2, device }), weight).shape; // => [8, 64]
 * device.report().calls.matmul; // => {"device":1,"plain":0}
 * ```
 */
export async function wasm({ build = "auto" }: WasmOptions = {}): Promise<Device> {
  if (typeof WebAssembly === "undefined" || !(await simd())) {
    throw new DeviceError({
      fn: "wasm",
      argument: "WebAssembly",
      received: "an engine without WebAssembly SIMD",
      expected: "Node 20 or newer, or a browser of the last years",
      fix: "use the plain device, `js()` of @qkv/tensor.",
    });
  }
  const fused = await relaxedSimd();
  if (build !== "auto" && build !== "plain" && build !== "relaxed") {
    const expected = '"auto", "plain" or "relaxed"';
    throw new ArgumentError({
      fn: "wasm",
      argument: "build",
      received: build,
      expected,
      fix: "leave it out for the fastest.",
    });
  }
  if (build === "relaxed" && !fused) {
    throw new DeviceError({
      fn: "wasm",
      argument: "build",
      received: build,
      expected: '"plain": this engine has no relaxed SIMD',
      fix: "leave `build` out, or use a newer engine (Node 22, Chrome 114).",
    });
  }
  const chosen = build === "auto" ? (fused ? "relaxed" : "plain") : build;
  const { binary } =
    chosen === "relaxed" ? await import("./binaries/relaxed.js") : await import("./binaries/plain.js");
  const bytes = Uint8Array.from(atob(binary), (character) => character.charCodeAt(0));
  const memory = wasmMemory(65536);
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory: memory.memory } });
  return makeDevice(`wasm,${chosen}`, alone(instance.exports as unknown as Exports, memory));
}

function makeDevice(name: string, engine: Engine): Device {
  const { memory } = engine;
  const calls: Record<string, { device: number; plain: number }> = {};
  const abandoned = new FinalizationRegistry<[pointer: number, bytes: number]>(([pointer, bytes]) =>
    memory.giveBack(pointer, bytes),
  );
  const giveBack = (storage: WasmStorage) => {
    if (storage.pointer === undefined) return;
    memory.giveBack(storage.pointer, bytesOf(storage));
    storage.pointer = undefined;
  };
  const arrayOf = (storage: WasmStorage): TypedArray =>
    storage.array ??
    viewArray(storage.dtype, memory.memory.buffer as ArrayBuffer, storage.pointer!, storage.length);
  const { scope, recording, own, keep, active } = scopes(
    (storage) => giveBack(storage as WasmStorage),
    // What leaves the outermost scope is copied out, and the collector's from then on.
    (storage) => {
      const left = storage as WasmStorage;
      left.array = arrayOf(left).slice();
      giveBack(left);
    },
  );
  const take = (storage: WasmStorage): void => {
    storage.pointer = memory.take(bytesOf(storage));
  };
  return {
    name,
    kernels: kernels(engine),
    scope,
    recording,
    keep(stored: Storage) {
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
    report: () => ({ name, calls: structuredClone(calls) }),
    memory: () => ({ bytes: memory.used, peakBytes: memory.peak }),
    allocate(dtype, length): Storage {
      if (!active())
        return { dtype, length, pointer: undefined, array: allocateArray(dtype, length) } as WasmStorage;
      const storage: WasmStorage = { dtype, length, pointer: undefined, array: undefined };
      take(storage);
      arrayOf(storage).fill(0);
      own(storage);
      return storage;
    },
    adopt: (dtype, array): WasmStorage => ({ dtype, length: array.length, pointer: undefined, array }),
    array(storage) {
      checkAlive(storage);
      return arrayOf(storage as WasmStorage);
    },
    note(op, ranOn) {
      (calls[op] ??= { device: 0, plain: 0 })[ranOn] += 1;
    },
  };
}

function bytesOf({ dtype, length }: Storage): number {
  return Math.max(1, length * bytesPerElement(dtype));
}
