import { checks } from "@qkv/core";
import type { Device } from "@qkv/tensor";
import { makeDevice } from "./device.js";
import { everyKernel } from "./kernels/kernels.js";
import { noGpu, type ShaderRun } from "./no-gpu.js";
import { checkOptions } from "./options.js";

export type { ShaderRun } from "./no-gpu.js";

export type ShadersOptions = {
  /** True: texts of an adapter that has subgroup operations. Default false: those that run on every adapter. */
  subgroups?: boolean;
  /**
   * Rate of a product of matrices on an adapter, as `report().flopsPerSecond` has it: long calls of attention are cut into as
   * many dispatches as there. Default: nothing is cut.
   */
  flopsPerSecond?: number;
};

/**
 * The compute shaders that calls run, as text, with the number of workgroups and the bytes of their buffers. It needs no GPU:
 * `f` gets a device that keeps what it is asked for and computes nothing.
 *
 * @param f - Makes the calls; synchronous. Numbers of its tensors cannot be read.
 * @returns One entry for each dispatch, in order.
 * @throws {ArgumentError} If f is no function or returns a promise, or an option is none of those that it takes.
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
    // The scope ends what was made, and refuses a promise.
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
