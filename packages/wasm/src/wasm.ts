import type { WasmDevice } from "./device.js";
import { open } from "./open.js";
import type { WasmOptions } from "./options.js";
import { bundled } from "./sources.js";

/**
 * Creates a device with SIMD kernels in WebAssembly: float32 matrix products, attention, norms. Operations without such a kernel
 * run the plain JavaScript kernel on the device's memory.
 *
 * Outside of scopes, results are ordinary arrays, freed by the garbage collector. Inside `device.scope(() => …)`, intermediate
 * tensors stay in the device's memory, without copies, and are freed at the end of the scope. Move parameters once, with
 * `tensor.to(device)`.
 *
 * With `threads`, workers share the work of each call. All have started when the promise resolves, and results are the same to the
 * last bit for any number of threads. Workers do not keep a Node process alive; they end with `device.close()` or when the device
 * is garbage-collected.
 *
 * @param options - Build, number of threads, and limits of memory and time.
 * @throws {ArgumentError} If an option is unknown or has a wrong value.
 * @throws {DeviceError} If WebAssembly or its SIMD is missing, or the page's content security policy forbids compiling.
 *   Later, from a call whose workers died or did not finish in time: the device then refuses work until
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
