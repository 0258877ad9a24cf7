import { adapterFor, describeAdapter, type AdapterInfo } from "./open.js";
import { checkOptions, type WebGpuOptions } from "./options.js";

/**
 * Describes the adapter that `webgpu` with the same options would open, without opening it.
 *
 * @returns Its name, and whether it is software on the CPU.
 * @throws {ArgumentError} If an option does not exist.
 * @throws {DeviceError} If there is no WebGPU, or no adapter.
 *
 * @example
 * ```ts no-run
 * import { webgpuAdapter } from "@qkv/webgpu";
 *
 * await webgpuAdapter(); // { name: "nvidia ampere", software: false }
 * ```
 */
export async function webgpuAdapter(options?: WebGpuOptions): Promise<AdapterInfo> {
  return describeAdapter(await adapterFor("webgpuAdapter", checkOptions(options, "webgpuAdapter")));
}
