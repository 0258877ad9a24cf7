import { allocateArray, checkAlive, type DType, type TypedArray } from "@qkv/core";
import type { Device, Storage } from "./contracts.js";
import { scopes, type ScopedStorage } from "./scopes.js";

type HostStorage = ScopedStorage & { array: TypedArray };

let plain: Device | undefined;

/**
 * The plain device: every op as readable JavaScript, float32 stored and float64 accumulated. It is where tensors
 * live unless told otherwise, and the specification that other devices are tested against.
 *
 * @returns Always the same device.
 *
 * @example
 * ```ts
 * import { js, tensor } from "@qkv/tensor";
 *
 * tensor([1, 2], { shape: [2] }).device === js(); // => true
 * ```
 */
export function js(): Device {
  return (plain ??= makeDevice());
}

function makeDevice(): Device {
  const calls: Record<string, { device: number; plain: number }> = {};
  // The collector owns the arrays; an early release only shortens their life.
  const { scope, recording, own, retain } = scopes((storage) => {
    (storage as HostStorage).array = new Uint8Array(0);
  });
  return {
    name: "js",
    kernels: {},
    scope,
    recording,
    retain,
    report: () => ({ name: "js", calls: structuredClone(calls) }),
    memory: () => ({ bytes: undefined, peakBytes: undefined }),
    allocate(dtype: DType, length: number): Storage {
      const storage = storageOf(dtype, allocateArray(dtype, length));
      own(storage);
      return storage;
    },
    fromHost: storageOf,
    array(storage) {
      checkAlive(storage);
      return (storage as HostStorage).array;
    },
    countCall(op, ranOn) {
      (calls[op] ??= { device: 0, plain: 0 })[ranOn] += 1;
    },
  };
}

function storageOf(dtype: DType, array: TypedArray): HostStorage {
  return { dtype, length: array.length, array, ended: false, owner: undefined };
}
