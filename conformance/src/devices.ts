import { ArgumentError } from "@qkv/core";
import { gpu, parseGpuName } from "@qkv/gpu";
import { js } from "@qkv/tensor";
import { parseWasmName, wasm } from "@qkv/wasm";
import { parseWebGpuName, webgpu } from "@qkv/webgpu";
import type { Target } from "./case.js";
import { gpuWithPlainLimits } from "./plain-limits.js";

const plainLimits = /,limits=plain(?=,|$)/;

/**
 * Opens the device that the command line names: `NAME[:MODE][,threads=N][,plain|relaxed][,sequential|prefetched|interleaved][,subgroups=on|off][,float16=on|off][,limits=plain]`.
 *
 * With `limits=plain`, WebGPU buffers have the limits of the specification, otherwise those of the adapter.
 *
 * @throws {ArgumentError} If there is no such device, or it has no such mode.
 */
export async function openDevice(spec: string): Promise<Target> {
  if (spec === "js") return { device: js(), class: "host" };
  const options = parseWasmName(spec);
  if (options) return { device: await wasm(options), class: "host" };
  const onGpu = parseGpuName(spec);
  if (onGpu) return { device: await gpu(onGpu), class: "gpu" };
  const inWgsl = parseWebGpuName(spec.replace(plainLimits, ""));
  if (inWgsl) {
    const within = plainLimits.test(spec) && { gpu: await gpuWithPlainLimits() };
    return { device: await webgpu({ ...inWgsl, ...within }), class: "gpu" };
  }
  throw new ArgumentError({
    fn: "conformance",
    argument: "--device",
    received: spec,
    expected:
      "js, wasm[,threads=N][,plain|relaxed][,sequential|prefetched|interleaved], gpu[:webgl2|:webasm], or webgpu[,subgroups=on|off][,float16=on|off][,limits=plain][,browser]",
    fix: "leave --device out to run on js.",
  });
}
