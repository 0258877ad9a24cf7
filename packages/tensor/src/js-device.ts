import { ArgumentError } from "@qkv/core";
import type { Device, Storage } from "./contracts.js";
import { allocateArray, type DType, type TypedArray } from "./dtype.js";

type HostStorage = Storage & { readonly array: TypedArray };

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
  return {
    name: "js",
    kernels: {},
    scope(f) {
      const result = f();
      if (result instanceof Promise) {
        throw new ArgumentError({
          fn: "device.scope",
          argument: "f",
          received: result,
          expected: "a function that returns at once",
          fix: "a scope is synchronous: await outside of it, and compute inside.",
        });
      }
      return result;
    },
    report: () => ({ name: "js", calls: { ...calls } }),
    memory: () => ({ bytes: undefined, peakBytes: undefined }),
    allocate: (dtype: DType, length: number): HostStorage => ({
      dtype,
      length,
      array: allocateArray(dtype, length),
    }),
    array: (storage) => (storage as HostStorage).array,
    note(op, ranOn) {
      (calls[op] ??= { device: 0, plain: 0 })[ranOn] += 1;
    },
  };
}

/** Wraps an array as storage of the plain device, without a copy. */
export function adopt(dtype: DType, array: TypedArray): HostStorage {
  return { dtype, length: array.length, array };
}
