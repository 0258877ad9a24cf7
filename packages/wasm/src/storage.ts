import type { DType, Storage, TypedArray } from "@qkv/tensor";
import { bytesPerElement } from "@qkv/tensor";
import type { ScopedStorage } from "@qkv/tensor/devices";

/** Data in the device's memory (`pointer`), or in an ordinary array of the program (`array`). */
export type WasmStorage = ScopedStorage & {
  pointer: number | undefined;
  array: TypedArray | undefined;
  /** A typed array over the device's memory. Invalid once that has grown. */
  view: TypedArray | undefined;
};

/** A storage that belongs to no scope. All have the same fields from the start (one hidden class): reads are fast. */
export function storageOf(dtype: DType, length: number, array?: TypedArray): WasmStorage {
  return { dtype, length, pointer: undefined, array, view: undefined, ended: false, owner: undefined };
}

/** Bytes that a storage takes in the device's memory. */
export function bytesOf({ dtype, length }: Storage): number {
  return Math.max(1, length * bytesPerElement(dtype));
}
