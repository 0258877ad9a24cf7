import { beforeAll, describe, expect, test } from "vitest";
import { agreeOnRead } from "@qkv/test-support/agreement";
import type { GpuDevice } from "./device.js";
import { gpu } from "./gpu.js";
import { opCases } from "@qkv/test-support/gpu-op-cases";

let device: GpuDevice;
beforeAll(async () => {
  device = await gpu({ mode: "webgl2" });
});

test("the report has the mode, the renderer and the limits", () => {
  const { mode, why, renderer, software, limits, selfTestError } = device.report();
  expect({ mode, why }).toEqual({ mode: "webgl2", why: "requested" });
  expect(renderer).toMatch(/\w/);
  expect(software).toBe(/swiftshader|llvmpipe/i.test(renderer!));
  expect(limits.maxTextureSize).toBeGreaterThanOrEqual(2048);
  expect(selfTestError).toBeLessThan(1e-5);
});

describe("kernels agree with the plain device", () => {
  test.each(opCases)("$name", async ({ f, inputs, ...agreement }) => {
    await agreeOnRead(device, f, inputs, agreement);
  });
});
