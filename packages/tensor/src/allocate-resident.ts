import type { DType } from "@qkv/core";
import type { Device, Storage } from "./contracts.js";

/** An allocation in the device's own memory that no scope owns. Its contents are undefined if `zeroed` is false. */
export function allocateResident(device: Device, dtype: DType, length: number, zeroed = true): Storage {
  // Outside of a scope, a host device may allocate an ordinary array, which it would have to copy when it is retained.
  let storage!: Storage;
  device.scope(() => {
    storage = device.allocate(dtype, length, zeroed);
    device.retain(storage);
  });
  return storage;
}
