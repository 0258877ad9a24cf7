import { ArgumentError, DeviceError } from "@qkv/core";
import { js, type Device } from "@qkv/tensor";
import { parseWasmName, wasm } from "@qkv/wasm";

/** A device that the worker opened; `close` frees its memory, if it has memory of its own. */
export type OwnDevice = Device & { close?(): unknown };

/** Time to wait for each candidate device of `auto`. It is long, as a model stays on its device. Unit: milliseconds. */
const timeoutMs = 20_000;

/** Opens a device by name. Default: `wasm`, or `js` if WebAssembly SIMD cannot run. */
export async function openDevice(name: string | undefined): Promise<OwnDevice> {
  if (name === undefined) {
    try {
      return await wasm();
    } catch (error) {
      if (error instanceof DeviceError) return js();
      throw error;
    }
  }
  if (name === "js") return js();
  const wasmOptions = parseWasmName(name);
  if (wasmOptions) return wasm(wasmOptions);
  // Imported on demand, as their shaders are large.
  if (name === "auto") return (await import("@qkv/device")).device({ timeoutMs });
  if (/^webgpu(,|$)/.test(name)) {
    const { parseWebGpuName, webgpu } = await import("@qkv/webgpu");
    const webgpuOptions = parseWebGpuName(name);
    if (webgpuOptions) return webgpu(webgpuOptions);
  }
  throw new ArgumentError({
    fn: "load",
    argument: "device",
    received: name,
    expected: "the name of a device: wasm[,threads=N][,plain|relaxed], webgpu, js or auto",
    fix: "leave it out for wasm.",
  });
}
