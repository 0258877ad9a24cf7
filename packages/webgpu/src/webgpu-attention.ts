import { attentionTest, attentionWork } from "./attention-self-test.js";
import type { WebGpuDevice } from "./device.js";
import { attentionKernels } from "./kernels/attention-kernels.js";
import { openTested } from "./open-tested.js";
import type { WebGpuOptions } from "./options.js";

/**
 * Opens a device like `webgpu()`, but with only the kernels of attention's forward pass: a page that computes nothing else on
 * the GPU bundles less than half of the shader code. Other operations run the plain kernels and need their inputs on the host,
 * so call `await tensor.read()` on results of the device first. Gradients, and paged or int8 keys with more than 8 queries,
 * require `webgpu()`.
 *
 * @throws {ArgumentError} As `webgpu()`.
 * @throws {DeviceError} As `webgpu()`.
 *
 * @example
 * ```ts no-run
 * import { randn } from "@qkv/tensor";
 * import { webgpuAttention } from "@qkv/webgpu";
 *
 * const device = await webgpuAttention();
 * const x = randn([1, 8, 512, 64], { seed: 1, device }); // [B, H, T, D]
 * // On the GPU, with `attention` and `causal` of `@qkv/attention`: attention(x, x, x, { mask: causal() })
 * x.device === device; // true
 * ```
 */
export async function webgpuAttention(options?: WebGpuOptions): Promise<WebGpuDevice> {
  return openTested(options, {
    fn: "webgpuAttention",
    kernels: attentionKernels,
    test: attentionTest,
    work: attentionWork,
  });
}
