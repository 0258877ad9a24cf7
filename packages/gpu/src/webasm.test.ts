import { exp, randn, type Tensor } from "@qkv/tensor";
import { beforeAll, describe, expect, test } from "vitest";
import { agreeOnRead } from "@qkv/test-support/agreement";
import type { GpuDevice } from "./device.js";
import { gpu } from "./gpu.js";
import { opCases } from "@qkv/test-support/gpu-op-cases";

let device: GpuDevice;
beforeAll(async () => {
  device = await gpu({ mode: "webasm" });
});

describe("kernels agree with the plain device", () => {
  test.each(opCases)("$name", async ({ f, inputs, ...agreement }) => {
    await agreeOnRead(device, f, inputs, agreement);
  });
});

test("in Node, `gpu()` selects webasm, and the report has the reason", async () => {
  const { mode, why } = (await gpu()).report();
  expect({ mode, why }).toEqual({ mode: "webasm", why: "there is no WebGL2" });
});

test("`using` closes a device at the end of the block; it then refuses work", async () => {
  let x: Tensor;
  {
    using device = await gpu({ mode: "webasm" });
    x = randn([4], { seed: 1 }).to(device);
    expect((await exp(x).read()).length).toBe(4);
  }
  expect(() => exp(x)).toThrow(/^exp: `device` is .*closed/);
});
