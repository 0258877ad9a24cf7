import { ArgumentError, DeviceError } from "@qkv/core";
import { js, type Device } from "@qkv/tensor";
import { parseWasmName, wasm } from "@qkv/wasm";

/** A device of a worker; some have memory to free. */
export type OwnDevice = Device & { close?(): unknown };

/** Time that the devices of `auto` have to be ready: a model stays where it was loaded. Unit: milliseconds. */
const patienceMs = 20_000;

/** Opens the device of a name. Default: `wasm`, or `js` where that cannot run. */
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
  const inWasm = parseWasmName(name);
  if (inWasm) return wasm(inWasm);
  // Loaded when they are asked for: their shaders are long.
  if (name === "auto") return (await import("@qkv/device")).device({ patienceMs });
  if (/^webgpu(,|$)/.test(name)) {
    const { parseWebGpuName, webgpu } = await import("@qkv/webgpu");
    const inWgsl = parseWebGpuName(name);
    if (inWgsl) return webgpu(inWgsl);
  }
  throw new ArgumentError({
    fn: "load",
    argument: "device",
    received: name,
    expected: "the name of a device: wasm[,threads=N][,plain|relaxed], webgpu, js or auto",
    fix: "leave it out for wasm.",
  });
}
