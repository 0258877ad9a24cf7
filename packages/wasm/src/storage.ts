import type { DType, TypedArray } from "@qkv/tensor";
import { bytesPerElement } from "@qkv/tensor";
import type { ScopedStorage } from "@qkv/tensor/devices";

/** Data in the device's memory (`pointer`), or in an ordinary array of the program (`array`). */
export type WasmStorage = ScopedStorage & {
  pointer: number | undefined;
  array: TypedArray | undefined;
  /** A typed array over the device's memory. Invalid once that has grown. */
  view: TypedArray | undefined;
  /** Bytes that it takes in the device's memory. */
  readonly bytes: number;
};

/** A storage that belongs to no scope. All have the same fields from the start (one hidden class): reads are fast. */
export function storageOf(dtype: DType, length: number, array?: TypedArray): WasmStorage {
  const bytes = Math.max(1, length * bytesPerElement(dtype));
  return { dtype, length, pointer: undefined, array, view: undefined, bytes, ended: false, owner: undefined };
}
