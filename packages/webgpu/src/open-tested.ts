import type { Kernels } from "@qkv/tensor";
import type { Context } from "./context.js";
import { makeDevice, type WebGpuDevice } from "./device.js";
import { measureRate, type RateWork } from "./measure-rate.js";
import { openDevice } from "./open.js";
import { checkOptions, type WebGpuOptions } from "./options.js";
import { selfTest, type SelfTest } from "./self-test.js";

/** Kernels of a device, and its self-test and rate measurement at opening. */
export type Parts = {
  /** Name of the public function, for errors. */
  readonly fn: string;
  readonly kernels: (context: Context) => Kernels;
  readonly test: () => SelfTest;
  readonly work: (device: WebGpuDevice) => RateWork;
};

/** Opens a device, runs its self-test and measures its rate. A device that fails the test is closed. */
export async function openTested(
  options: WebGpuOptions | undefined,
  { fn, kernels, test, work }: Parts,
): Promise<WebGpuDevice> {
  const checked = checkOptions(options, fn);
  const { device, tested, measured } = await makeDevice(kernels, () => openDevice(checked, fn), checked);
  try {
    tested(await selfTest(fn, device, test()));
    measured(await measureRate(() => device.finish(), work(device)));
  } catch (error) {
    device.close();
    throw error;
  }
  return device;
}
