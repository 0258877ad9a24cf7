import type { DType, Storage, TypedArray } from "@qkv/tensor";
import { bytesPerElement } from "@qkv/tensor";
import type { ScopedStorage } from "@qkv/tensor/devices";

/** Numbers in the device's memory, or, where they belong to the program, in an array of its own. */
export type WasmStorage = ScopedStorage & {
  pointer: number | undefined;
  array: TypedArray | undefined;
  /** Over the device's memory, as long as that has not grown. */
  view: TypedArray | undefined;
};

/** A storage that belongs to no scope. All have the same fields from the beginning, which keeps reading them fast. */
export function storageOf(dtype: DType, length: number, array?: TypedArray): WasmStorage {
  return { dtype, length, pointer: undefined, array, view: undefined, ended: false, owner: undefined };
}

/** Bytes that it takes in the device's memory. */
export function bytesOf({ dtype, length }: Storage): number {
  return Math.max(1, length * bytesPerElement(dtype));
}
