import { ArgumentError } from "@qkv/core";
import { js, type Device } from "@qkv/tensor";
import type { WebGpuOptions } from "@qkv/webgpu";

/** A device that may be chosen. */
export type Candidate = {
  readonly name: string;
  /** `late`: compiles shaders, which takes long. `host`: opens at once. `last`: needs nothing and is the slowest. */
  readonly kind: "late" | "host" | "last";
  /** Facts about the hardware, where they are known before opening. */
  adapter?(): Promise<{ readonly name: string; readonly software: boolean }>;
  open(): Promise<Device & { close?(): void | Promise<void> }>;
};

/** The candidate of a name. Its package is loaded here, so that a program loads those that it asks for. */
export async function candidateOf(name: string, gpu: WebGpuOptions["gpu"]): Promise<Candidate> {
  if (name === "js") return { name, kind: "last", open: () => Promise.resolve(js()) };
  if (/^wasm(,|$)/.test(name)) {
    const { parseWasmName, wasm } = await import("@qkv/wasm");
    const options = parseWasmName(name);
    if (options) return { name, kind: "host", open: () => wasm(options) };
  }
  if (/^webgpu(,|$)/.test(name)) {
    const { parseWebGpuName, webgpu, webgpuAdapter } = await import("@qkv/webgpu");
    const parsed = parseWebGpuName(name);
    if (parsed) {
      const options: WebGpuOptions = { ...parsed, ...(gpu && { gpu }) };
      return { name, kind: "late", adapter: () => webgpuAdapter(options), open: () => webgpu(options) };
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
