// Every kernel against the plain device, on the adapter that Node finds: hardware, or Mesa's software renderer.
import { agreeOnRead } from "@qkv/test-support/agreement";
import { deviceOpCases } from "@qkv/test-support/device-op-cases";
import { max, ones, randn, rmsNorm, softmax, sum, tensor, type Tensor } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import { opCases } from "@qkv/test-support/gpu-op-cases";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { create } from "webgpu";
import type { WebGpuDevice } from "./device.js";
import { webgpu } from "./webgpu.js";

/** Kept for all tests: the process ends if this object is garbage-collected. */
const gpu = create([]);

describe.skipIf(!(await gpu.requestAdapter()))("on the adapter of this machine", () => {
  let device: WebGpuDevice;
  // A software renderer compiles each shader for seconds.
  beforeAll(async () => (device = await webgpu({ gpu })), 300_000);
  afterAll(() => device.close());

  test("sums by subgroups equal those in workgroup memory, also for infinities and NaN", async () => {
    const without = await webgpu({ gpu, subgroups: false });
    expect(without.report().subgroups).toBe(false);
    expect(without.name).toBe("webgpu,subgroups=off");
    const rows = [1, 63, 65, 300].flatMap((length) =>
      [undefined, -Infinity, Infinity, NaN].map((special) => {
        const numbers = [...randn([length], { seed: length }).data];
        if (special !== undefined) numbers[length >> 1] = special;
        return tensor(numbers);
      }),
    );
    const compute = (x: Tensor) => [softmax(x), rmsNorm(x, ones([x.shape[0]!]).to(x.device)), sum(x), max(x)];
    for (const row of rows) {
      const [ours, others] = await Promise.all(
        [device, without].map((on) => Promise.all(compute(row.to(on)).map((y) => y.read()))),
      );
      for (const [i, numbers] of ours!.entries())
        expect(numbers).toBeAllclose(others![i]!, { rtol: 1e-5, atol: 1e-6, equalNan: true });
    }
    without.close();
  });

  test.each([...opCases, ...deviceOpCases])("$name", async ({ f, inputs, ...agreement }) => {
    await agreeOnRead(device, f, inputs, agreement);
  });

  test("the self-test and every case ran only on kernels of the device", () => {
    const { calls, selfTestError } = device.report();
    expect(selfTestError).toBeLessThan(1e-5);
    expect(Object.entries(calls).filter(([, { plain }]) => plain > 0)).toEqual([]);
  });
});
