import { allocateArray, checkAlive, type DType, type TypedArray } from "@qkv/core";
import type { Device, Storage } from "./contracts.js";
import { scopes, type ScopedStorage } from "./scopes.js";

type HostStorage = ScopedStorage & { array: TypedArray };

let plain: Device | undefined;

/**
 * The plain device: every op in readable JavaScript, with float32 storage and float64 accumulation. It is the default device, and
 * the specification that other devices are tested against.
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
  // The garbage collector frees the arrays; releasing them only makes that possible earlier.
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
      const storage = hostStorage(dtype, allocateArray(dtype, length));
      own(storage);
      return storage;
    },
    fromHost: hostStorage,
    array(storage) {
      checkAlive(storage);
      return (storage as HostStorage).array;
    },
    countCall(op, ranOn) {
      (calls[op] ??= { device: 0, plain: 0 })[ranOn] += 1;
    },
  };
}

function hostStorage(dtype: DType, array: TypedArray): HostStorage {
  return { dtype, length: array.length, array, ended: false, owner: undefined };
}
