import type { GpuMode, GpuOptions } from "./options.js";

/**
 * Parses the name of a device, `gpu[:MODE]`, into options.
 *
 * @param name - As written on a command line: `gpu`, `gpu:webgl2`, `gpu:webasm`.
 * @returns The options; undefined if this is not the name of such a device.
 *
 * @example
 * ```ts
 * import { parseGpuName } from "@qkv/gpu";
 *
 * parseGpuName("gpu:webasm"); // => {"mode":"webasm"}
 * parseGpuName("js"); // => undefined
 * ```
 */
export function parseGpuName(name: string): GpuOptions | undefined {
  if (name === "gpu") return {};
  const mode = /^gpu:(webgl2|webasm)$/.exec(name)?.[1] as GpuMode | undefined;
  return mode && { mode };
}
