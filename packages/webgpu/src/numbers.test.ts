// Every kernel against the plain device, on the adapter that Node finds: hardware, or Mesa's software renderer.
import { agreeOnRead } from "@qkv/test-support/agreement";
import { deviceOpCases } from "@qkv/test-support/device-op-cases";
import { opCases } from "@qkv/test-support/gpu-op-cases";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { create } from "webgpu";
import type { WebGpuDevice } from "./device.js";
import { webgpu } from "./webgpu.js";

/** Held as long as the tests run: the process ends when it is collected. */
const gpu = create([]);

describe.skipIf(!(await gpu.requestAdapter()))("on the adapter here", () => {
  let device: WebGpuDevice;
  // A software renderer compiles each shader for seconds.
  beforeAll(async () => (device = await webgpu({ gpu })), 300_000);
  afterAll(() => device.close());

  test.each([...opCases, ...deviceOpCases])("$name", async ({ f, inputs, ...agreement }) => {
    await agreeOnRead(device, f, inputs, agreement);
  });

  test("the self-test and every case ran on kernels of the device alone", () => {
    const { calls, selfTestError } = device.report();
    expect(selfTestError).toBeLessThan(1e-5);
    expect(Object.entries(calls).filter(([, { plain }]) => plain > 0)).toEqual([]);
  });
});
