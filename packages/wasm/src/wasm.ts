import type { WasmDevice } from "./device.js";
import { open } from "./open.js";
import type { WasmOptions } from "./options.js";
import { bundled } from "./sources.js";

/**
 * A device of SIMD kernels in WebAssembly: float32 matrix products, attention, norms. Operations without such a
 * kernel run the plain JavaScript one, on the device's memory.
 *
 * Outside a scope a result is an ordinary array, freed by the garbage collector. Inside `device.scope(() => …)`
 * intermediate tensors stay in the device's memory, without copies, and are freed at its end. Parameters are moved
 * once, with `tensor.to(device)`.
 *
 * With `threads`, workers split the work of each call; all have started when the promise resolves, and results are the
 * same to the last bit for any number of them. They do not keep a Node process alive, and end with `device.close()` or
 * when the device is garbage-collected.
 *
 * @param options - Build, threads, and limits of memory and time.
 * @throws {ArgumentError} If an option is unknown or has a wrong value.
 * @throws {DeviceError} If WebAssembly or its SIMD is missing, or the page's content security policy forbids compiling.
 *   Later, from a call whose workers died or did not finish in time: the device then refuses to work until
 *   `await device.restart()`.
 *
 * @example
 * ```ts
 * import { matmul, randn } from "@qkv/tensor";
 * import { wasm } from "@qkv/wasm";
 *
 * const device = await wasm({ threads: 2 });
 * const weight = randn([64, 64], { seed: 1 }).to(device);
 * matmul(randn([8, 64], { seed: 2, device }), weight).shape; // => [8, 64]
 * device.report().calls.matmul; // => {"device":1,"plain":0}
 * device.report().threads; // => 2
 * await device.close();
 * ```
 */
export async function wasm(options?: WasmOptions): Promise<WasmDevice> {
  return open("wasm", bundled, options);
}
