import type { WebGpuDevice } from "./device.js";
import { everyKernel } from "./kernels/kernels.js";
import { productWork } from "./measure-rate.js";
import { openTested } from "./open-tested.js";
import type { WebGpuOptions } from "./options.js";
import { operationsTest } from "./self-test.js";

/**
 * Creates a WebGPU device: operations run as compute shaders in WGSL and return at once. Work is recorded, and submitted when
 * numbers are read or after a number of dispatches. `await tensor.read()` returns the results; `.data` throws until then.
 *
 * `device.scope(() => …)` frees intermediate tensors at its end and reuses their buffers. Move parameters once, with
 * `tensor.to(device)`. float64 tensors stay on the host, for the plain kernels.
 *
 * @throws {ArgumentError} If an option does not exist or has an invalid value.
 * @throws {DeviceError} If there is no WebGPU or no adapter, the adapter gives no device, or its self-test gives wrong
 *   numbers. Later, from a call or a read: the device was lost or closed, memory ran out, a tensor is larger than the
 *   adapter binds, a shader was rejected, an index was out of range.
 * @see The standard, "WebGPU" and "WebGPU Shading Language" (W3C)
 *
 * @example
 * ```ts no-run
 * import { matmul, tensor } from "@qkv/tensor";
 * import { webgpu } from "@qkv/webgpu";
 *
 * const device = await webgpu();
 * const x = tensor([[1, 2], [3, 4]]).to(device);
 * await matmul(x, x).read(); // [7, 10, 15, 22]
 * ```
 */
export async function webgpu(options?: WebGpuOptions): Promise<WebGpuDevice> {
  return openTested(options, {
    fn: "webgpu",
    kernels: everyKernel,
    test: operationsTest,
    work: productWork,
  });
}
