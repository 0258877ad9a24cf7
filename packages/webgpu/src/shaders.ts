import { checks } from "@qkv/core";
import type { Device } from "@qkv/tensor";
import { makeDevice } from "./device.js";
import { everyKernel } from "./kernels/kernels.js";
import { noGpu, type ShaderRun } from "./no-gpu.js";
import { checkOptions } from "./options.js";

export type { ShaderRun } from "./no-gpu.js";

export type ShadersOptions = {
  /** True for the shaders of adapters with subgroup operations. Default false: shaders that run on every adapter. */
  subgroups?: boolean;
  /**
   * Rate of matrix products on an adapter, from `report().flopsPerSecond`: long calls of attention are split into as many
   * dispatches as on that adapter. Default: they are not split.
   */
  flopsPerSecond?: number;
};

/**
 * The WGSL of the compute shaders that calls run, with the numbers of workgroups and the sizes of buffers. It needs no GPU: `f`
 * receives a device that records the work and computes nothing.
 *
 * @param f - Makes the calls; synchronous. Its tensors cannot be read.
 * @returns One entry for each dispatch, in order.
 * @throws {ArgumentError} If f is not a function or returns a promise, or if an option does not exist.
 *
 * @example
 * ```ts
 * import { randn, softmax } from "@qkv/tensor";
 * import { shadersOf } from "@qkv/webgpu/shaders";
 *
 * const runs = await shadersOf((device) => softmax(randn([8, 64], { seed: 1, device })));
 * runs.map(({ op }) => op); // => ["softmax"]
 * runs[0]?.writes; // => [2048]
 * runs[0]?.code.includes("@compute"); // => true
 * ```
 */
export async function shadersOf(
  f: (device: Device) => unknown,
  options?: ShadersOptions,
): Promise<readonly ShaderRun[]> {
  const check = checks("shadersOf");
  check.type({ f }, "function", "pass a function that gets a device and makes the calls.");
  const { subgroups = false, flopsPerSecond } = check.options(options, ["subgroups", "flopsPerSecond"]);
  check.type({ subgroups }, "boolean");
  if (flopsPerSecond !== undefined)
    check.finite(
      { flopsPerSecond },
      { min: 1, fix: "pass `report().flopsPerSecond` of a device, or nothing." },
    );
  const { opened, runs } = noGpu(subgroups);
  const { device, measured } = await makeDevice(
    everyKernel,
    () => Promise.resolve(opened),
    checkOptions({ subgroups }, "shadersOf"),
  );
  if (flopsPerSecond !== undefined) measured(flopsPerSecond);
  try {
    // The scope frees what was allocated, and refuses a promise.
    device.scope(() => {
      const result = f(device);
      return typeof (result as PromiseLike<unknown> | undefined)?.then === "function" ? result : undefined;
    });
    await device.finish();
  } finally {
    device.close();
  }
  return runs;
}
