import { ArgumentError } from "@qkv/core";
import { gpu, parseGpuName } from "@qkv/gpu";
import { js } from "@qkv/tensor";
import { parseWasmName, wasm } from "@qkv/wasm";
import { parseWebGpuName, webgpu } from "@qkv/webgpu";
import type { Target } from "./case.js";

/**
 * Opens the device that the command line names: `NAME[:MODE][,threads=N][,plain|relaxed][,sequential|prefetched|interleaved][,subgroups=on|off][,float16=on|off]`.
 *
 * @throws {ArgumentError} If there is no such device, or it has no such mode.
 */
export async function openDevice(spec: string): Promise<Target> {
  if (spec === "js") return { device: js(), class: "host" };
  const options = parseWasmName(spec);
  if (options) return { device: await wasm(options), class: "host" };
  const onGpu = parseGpuName(spec);
  if (onGpu) return { device: await gpu(onGpu), class: "gpu" };
  const inWgsl = parseWebGpuName(spec);
  if (inWgsl) return { device: await webgpu(inWgsl), class: "gpu" };
  throw new ArgumentError({
    fn: "conformance",
    argument: "--device",
    received: spec,
    expected:
      "js, wasm[,threads=N][,plain|relaxed][,sequential|prefetched|interleaved], gpu[:webgl2|:webasm|:webgpu], or webgpu[,subgroups=on|off][,float16=on|off]",
    fix: "leave --device out to run on js.",
  });
}
