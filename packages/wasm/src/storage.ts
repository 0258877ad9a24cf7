import type { DType, TypedArray } from "@qkv/tensor";
import { bytesPerElement } from "@qkv/tensor";
import type { ScopedStorage } from "@qkv/tensor/devices";

/** Numbers in the device's memory (`pointer`) or in a host array (`array`). */
export type WasmStorage = ScopedStorage & {
  pointer: number | undefined;
  array: TypedArray | undefined;
  /** A view of the device's memory. Invalid once the memory has grown. */
  view: TypedArray | undefined;
  /** Size in the device's memory. */
  readonly bytes: number;
};

/** Creates a storage that belongs to no scope. All storages have the same fields from the start (one hidden class), for fast reads. */
export function createStorage(dtype: DType, length: number, array?: TypedArray): WasmStorage {
  const bytes = Math.max(1, length * bytesPerElement(dtype));
  return { dtype, length, pointer: undefined, array, view: undefined, bytes, ended: false, owner: undefined };
}
