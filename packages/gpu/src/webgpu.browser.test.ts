import { add, cumsum, matmul, ones, randn, softmax, sum, zeros } from "@qkv/tensor";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { agreeOnRead } from "@qkv/test-support/agreement";
import type { GpuDevice } from "./device.js";
import { gpu } from "./gpu.js";
import { opCases } from "@qkv/test-support/gpu-op-cases";

const available = Boolean(await navigator.gpu?.requestAdapter());

describe.runIf(available)("on an adapter", () => {
  let device: GpuDevice;
  beforeAll(async () => {
    device = await gpu({ mode: "webgpu" });
  });

  test("the report tells what it runs on", () => {
    const { mode, why, renderer, software, limits, selfTestError } = device.report();
    expect({ mode, why }).toEqual({ mode: "webgpu", why: "asked for" });
    expect(renderer).toMatch(/\w/);
    expect(software).toBe(/swiftshader|llvmpipe/i.test(renderer!));
    expect(limits.maxBufferBytes).toBeGreaterThanOrEqual(2 ** 27);
    expect(selfTestError).toBeLessThan(1e-5);
  });

  describe("kernels give what the plain ones give", () => {
    test.each(opCases)("$name", async ({ f, inputs, ...agreement }) => {
      await agreeOnRead(device, f, inputs, agreement);
    });
  });

  test("numbers come by `await`: then `.data` and plain kernels have them", async () => {
    const y = add(randn([3, 4], { seed: 1, device }), 1);
    const refused = /numbers that are still on the GPU.*\nFix: `await tensor\.read\(\)` first/s;
    expect(() => y.data).toThrow(refused);
    expect(() => cumsum(y, 1)).toThrow(refused);
    const numbers = await y.read();
    expect(y.data).toEqual(numbers);
    expect(cumsum(y, 1).data[1]).toBeCloseTo(numbers[0]! + numbers[1]!, 5);
  });

  test("loops of more than 1000 rounds go to their end", async () => {
    await agreeOnRead(device, (x) => sum(x), [ones([5000])], { ops: ["sum"], tolerance: 0 });
  });

  test("buffers are let go at the end of a scope", async () => {
    const x = randn([16, 16], { seed: 1 }).to(device);
    const step = () => device.scope(() => void softmax(matmul(add(x, x), x)));
    step();
    const { bytes } = device.memory();
    for (let i = 0; i < 100; i++) step();
    expect(device.memory().bytes).toBeLessThanOrEqual(bytes!);
    await add(x, 1).read(); // all of them ran
  });

  test("more numbers than it can count are an error", () => {
    expect(() => add(zeros([2 ** 24 + 1], { device }), 1)).toThrow(/16777217 numbers in addOf/);
  });
});

describe.runIf(available)("what goes wrong is an error, never zeros", () => {
  const devices: GpuDevice[] = [];
  /** gpu.js shares one device of WebGPU: it is seen when buffers are made there. */
  async function opened() {
    const createBuffer = vi.spyOn(GPUDevice.prototype, "createBuffer");
    const device = await gpu({ mode: "webgpu" });
    devices.push(device);
    return { device, own: createBuffer.mock.contexts.at(-1) as GPUDevice };
  }
  afterEach(() => {
    for (const device of devices.splice(0)) device.close();
    vi.restoreAllMocks();
  });

  test("a device that was closed", async () => {
    const { device } = await opened();
    const y = add(ones([4], { device }), 1);
    device.close();
    await expect(y.read()).rejects.toMatchObject({ name: "DeviceError" });
    expect(() => add(y, 1)).toThrow(/the device was closed.*\nFix: make a new device/s);
  });

  test("memory that ran out", async () => {
    const { device, own } = await opened();
    const y = add(ones([4], { device }), 1);
    const error = new GPUOutOfMemoryError("no more");
    vi.spyOn(console, "error").mockReturnValue(); // gpu.js tells it there too
    own.dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error }));
    await expect(y.read()).rejects.toThrow(/no more.*\nFix: work inside of `device\.scope/s);
  });

  test("a lost adapter: of a pending read, and of the next call; a new device computes again", async () => {
    const { device, own } = await opened();
    const x = randn([64, 64], { seed: 1 }).to(device);
    const y = matmul(x, x);
    const reading = y.read();
    own.destroy();
    await expect(reading).rejects.toMatchObject({ name: "DeviceError", fn: "matmul" });
    await expect(y.read()).rejects.toThrow(/the WebGPU device was lost/);
    expect(() => matmul(x, x)).toThrow(/the WebGPU device was lost.*\nFix: make a new device/s);
    const { device: again } = await opened();
    await agreeOnRead(again, (x) => matmul(x, x), [randn([8, 8], { seed: 1 })], { ops: ["matmul"] });
  });
});

if (!available) test("left out", ({ skip }) => skip("no WebGPU adapter was found"));
