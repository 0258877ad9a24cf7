import { ArgumentError, DeviceError, knownNames } from "@qkv/core";
import { device } from "@qkv/device";
import { fileStorage } from "@qkv/device/file-storage";
import { gpu, parseGpuName } from "@qkv/gpu";
import { js, type Device } from "@qkv/tensor";
import { parseWasmName, wasm } from "@qkv/wasm";
import { parseWebGpuName, webgpu } from "@qkv/webgpu";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Io } from "./io.js";

/** Names that `--device` accepts, for its help. */
export const deviceNames: readonly string[] = [
  "js",
  "wasm[,threads=N][,plain|relaxed]",
  "webgpu",
  "gpu:webasm",
  "auto",
];

/** Time to wait for WebGPU. It is long, as a command keeps its device. Unit: milliseconds. */
const timeoutMs = 20_000;

/**
 * Opens the device that `--device` names. Default: `wasm`, or `js` if WebAssembly SIMD cannot run.
 *
 * @param err - Output for the reasons of `auto`.
 */
export async function openDevice(name: string | undefined, err: Io["err"]): Promise<Device> {
  if (name === undefined) {
    return wasm().catch((error: unknown) => {
      if (error instanceof DeviceError) return js();
      throw error;
    });
  }
  if (name === "js") return js();
  if (name === "auto") {
    const folder = process.env["QKV_CACHE"] ?? join(homedir(), ".cache", "qkv");
    const storage = fileStorage(join(folder, "device.json"));
    const best = await device({ storage, timeoutMs });
    err.write(`device: ${best.choice.name}, since ${best.choice.why}\n`);
    return best;
  }
  const options = parseWasmName(name);
  if (options) return wasm(options);
  const webgpuOptions = parseWebGpuName(name);
  if (webgpuOptions) return webgpu(webgpuOptions);
  const gpuOptions = parseGpuName(name);
  if (gpuOptions) return gpu(gpuOptions);
  throw new ArgumentError({
    fn: "qkv",
    argument: "--device",
    received: name,
    expected: `a device: ${knownNames(name, deviceNames, "`qkv generate --help`")}`,
    fix: "leave --device out for `wasm`, or `js` where that cannot run.",
  });
}
