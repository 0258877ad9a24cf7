import type { Device } from "@qkv/tensor";

/** The place in which the packages of live code look for the device of tensors that name none: `scripts/default-device.mjs`. */
const place = Symbol.for("qkv/live/device");

/** Makes a device that of tensors that name none, in live code. */
export function setDefaultDevice(device: Device | undefined): void {
  (globalThis as { [place]?: Device | undefined })[place] = device;
}
