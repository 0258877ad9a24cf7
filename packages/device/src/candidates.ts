import { ArgumentError } from "@qkv/core";
import { js, type Device } from "@qkv/tensor";
import type { WebGpuOptions } from "@qkv/webgpu";

/** A device that may be chosen. */
export type Candidate = {
  readonly name: string;
  /**
   * `gpu`: compiles shaders, so it opens slowly. `cpu`: opens at once. `fallback`: the slowest, opened only if no other
   * device is ready.
   */
  readonly kind: "gpu" | "cpu" | "fallback";
  /** Name of the graphics adapter, and whether it is software on the CPU. Absent for devices without an adapter. */
  adapter?(): Promise<{ readonly name: string; readonly software: boolean }>;
  open(): Promise<Device & { close?(): void | Promise<void> }>;
};

/** Loads the package of a device by its name in `prefer`: packages of devices that are not preferred are never loaded. */
export async function loadCandidate(name: string, gpu: WebGpuOptions["gpu"]): Promise<Candidate> {
  if (name === "js") return { name, kind: "fallback", open: () => Promise.resolve(js()) };
  if (/^wasm(,|$)/.test(name)) {
    const { parseWasmName, wasm } = await import("@qkv/wasm");
    const options = parseWasmName(name);
    if (options) return { name, kind: "cpu", open: () => wasm(options) };
  }
  if (/^webgpu(,|$)/.test(name)) {
    const { parseWebGpuName, webgpu, webgpuAdapter } = await import("@qkv/webgpu");
    const parsed = parseWebGpuName(name);
    if (parsed) {
      const options: WebGpuOptions = { ...parsed, ...(gpu && { gpu }) };
      return { name, kind: "gpu", adapter: () => webgpuAdapter(options), open: () => webgpu(options) };
    }
  }
  throw new ArgumentError({
    fn: "device",
    argument: "prefer",
    received: name,
    expected:
      "names of devices: webgpu[,subgroups=on|off][,float16=on|off], wasm[,threads=N][,plain|relaxed], js",
    fix: 'leave `prefer` out for ["webgpu", "wasm", "js"].',
  });
}
