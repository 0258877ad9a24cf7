import type { WebGpuDevice } from "./device.js";
import { everyKernel } from "./kernels/kernels.js";
import { productWork } from "./measure-rate.js";
import { openTested } from "./open-tested.js";
import type { WebGpuOptions } from "./options.js";
import { operationsTest } from "./self-test.js";

/**
 * A device in WGSL: operations become compute shaders on the GPU, and return at once. Work is recorded and submitted
 * when numbers are read with `await tensor.read()`, or when enough of it is waiting. Results reach the program through
 * `await tensor.read()` only: until then `.data` throws.
 *
 * Inside `device.scope(() => …)` intermediate tensors are freed at its end, and their buffers used again. Move
 * parameters once, with `tensor.to(device)`. float64 tensors stay on the host, where the plain kernels compute with
 * them.
 *
 * @throws {ArgumentError} If an option is none of those that it takes.
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
