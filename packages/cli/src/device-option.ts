import { ArgumentError, DeviceError } from "@qkv/core";
import { js, type Device } from "@qkv/tensor";
import { parseWasmName, wasm } from "@qkv/wasm";

/** The names that `--device` takes, for its help. */
export const deviceNames: readonly string[] = ["js", "wasm[,threads=N][,plain|relaxed]"];

/** The device that `--device` names. Default: `wasm`, or `js` where that cannot run. */
export async function openDevice(name?: string): Promise<Device> {
  if (name === undefined) {
    return wasm().catch((error: unknown) => {
      if (error instanceof DeviceError) return js();
      throw error;
    });
  }
  if (name === "js") return js();
  const options = parseWasmName(name);
  if (options) return wasm(options);
  throw new ArgumentError({
    fn: "qkv",
    argument: "--device",
    received: name,
    expected: `a device: ${deviceNames.join(", ")}`,
    fix: "leave --device out for `wasm`, or `js` where that cannot run.",
  });
}
