import type { WebGpuOptions } from "./options.js";

/**
 * The options that a device's name stands for: `webgpu`.
 *
 * @param name - As written on a command line.
 * @returns The options; undefined if this is not the name of such a device.
 *
 * @example
 * ```ts
 * import { parseWebGpuName } from "@qkv/webgpu";
 *
 * parseWebGpuName("webgpu"); // => {}
 * parseWebGpuName("js"); // => undefined
 * ```
 */
export function parseWebGpuName(name: string): WebGpuOptions | undefined {
  return name === "webgpu" ? {} : undefined;
}
