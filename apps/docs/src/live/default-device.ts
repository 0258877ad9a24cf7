import type { Device } from "@qkv/tensor";

/** The global in which packages of live code find the default device: `scripts/default-device.mjs`. */
const place = Symbol.for("qkv/live/device");

/** Sets the default device of tensors in live code. */
export function setDefaultDevice(device: Device | undefined): void {
  (globalThis as { [place]?: Device | undefined })[place] = device;
}
