// Failures of the GPU, forced on Dawn's null backend: each is typed, names its operation, and leaves the device usable.
import {
  add,
  broadcastTo,
  cast,
  contiguous,
  exp,
  matmul,
  mul,
  randn,
  relu,
  softmax,
  type Tensor,
} from "@qkv/tensor";
import { changedGpu, type Change } from "@qkv/test-support/changed-gpu";
import { describe, expect, test } from "vitest";
import { create } from "webgpu";
import { makeDevice, type WebGpuDevice } from "./device.js";
import { everyKernel } from "./kernels/kernels.js";
import { openDevice } from "./open.js";
import { checkOptions, type WebGpuOptions } from "./options.js";
import { webgpu } from "./webgpu.js";

/** Kept for all tests: the process ends if this object is garbage-collected. */
const gpu = create(["backend=null"]);

const changed = (change: Change, opened?: GPUDevice[]) => changedGpu(gpu, change, opened);

const untested = async (gpu: GPU, given: WebGpuOptions = {}) => {
  const options = checkOptions({ budgetBytes: 2 ** 20, ...given, gpu });
  return (await makeDevice(everyKernel, () => openDevice(options), options)).device;
};
const onNull = () => untested(gpu);
/** A small tensor whose numbers are on the GPU alone. */
const computed = (device: WebGpuDevice) => add(randn([8], { seed: 1 }).to(device), 1);

describe("opening", () => {
  test("invalid options are refused", async () => {
    const refused: [unknown, RegExp][] = [
      [{ powerPreference: "fast" }, /^webgpu: `powerPreference` is "fast", expected/],
      [{ adapter: {} }, /^webgpu: `adapter` is .*, expected a GPUAdapter/],
      [{ gpu: 3 }, /^webgpu: `gpu` is 3, expected an object that gives adapters/],
      [{ budgetBytes: -1 }, /^webgpu: `budgetBytes` is -1/],
      [{ subgroups: "on" }, /^webgpu: `subgroups` is "on", expected true, false or "auto"/],
      [{ float16: 1 }, /^webgpu: `float16` is 1, expected/],
      [{ float64: true }, /^webgpu: `float64` is true, expected one of the options adapter, gpu/],
      [null, /^webgpu: `options` is null/],
    ];
    for (const [options, message] of refused)
      await expect(webgpu(options as WebGpuOptions)).rejects.toThrow(message);
  });

  test("a missing adapter, and an adapter without a device, throw", async () => {
    const none = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
    await expect(webgpu({ gpu: none })).rejects.toThrow(
      /^webgpu: `adapter` is "no adapter of WebGPU here".*\nFix: use @qkv\/wasm/,
    );
    const adapter = (await gpu.requestAdapter())!;
    await adapter.requestDevice();
    await expect(webgpu({ adapter })).rejects.toThrow(/^webgpu: `adapter` is ".*which gives no device/);
  });

  test("an adapter that computes wrong numbers is refused with its name", async () => {
    await expect(webgpu({ gpu })).rejects.toThrow(
      /^webgpu: `adapter` is ".*null.*, (whose numbers in the self-test are .* away|which fails in the self-test)".*\nFix: use @qkv\/wasm/i,
    );
  });
});

test("`read` returns numbers on the GPU, and `.data` throws an error that suggests it", async () => {
  const device = await onNull();
  const x = computed(device);
  expect(() => x.data).toThrow(
    /^data: `device` is "numbers that are on the GPU.*\nFix: `await tensor.read\(\)` first/,
  );
  await x.read();
  expect(x.data).toHaveLength(8);
  device.close();
});

test("float64 stays on the host and runs plain kernels, which the report counts", async () => {
  const device = await onNull();
  const x = randn([3], { seed: 1, dtype: "float64", device });
  expect(relu(x).data).toEqual(relu(randn([3], { seed: 1, dtype: "float64" })).data);
  expect(device.report().calls["relu"]).toEqual({ device: 0, plain: 1 });
  expect(() => cast(computed(device), "float64")).toThrow(/`await tensor.read\(\)` first/);
  device.close();
});

test("a closed device refuses work and reads", async () => {
  const device = await onNull();
  const x = computed(device);
  device.close();
  expect(() => exp(x)).toThrow(/^exp: `device` is "closed".*\nFix: open another device/);
  await expect(x.read()).rejects.toThrow(/`device` is "closed"/);
  expect(() => device.close()).not.toThrow();
});

test("`using` closes a device at the end of the block", async () => {
  let x: Tensor;
  {
    using device = await onNull();
    x = computed(device);
  }
  expect(() => exp(x)).toThrow(/^exp: `device` is "closed"/);
});

test("a lost device throws, and works again after a restart, without the numbers that were only on the GPU", async () => {
  const opened: GPUDevice[] = [];
  const device = await untested(changed(() => undefined, opened));
  const [x, onHost] = [computed(device), randn([8], { seed: 2, device })];
  opened[0]!.destroy();
  await opened[0]!.lost;
  expect(() => exp(onHost)).toThrow(
    /^exp: `device` is "lost \(destroyed\).*\nFix: `await device.restart\(\)`/,
  );
  await expect(x.read()).rejects.toThrow(/`device` is "lost/);
  await device.restart();
  await expect(exp(onHost).read()).resolves.toHaveLength(8);
  expect(() => exp(x)).toThrow(/numbers were on the device before it was restarted/);
  device.close();
});

test("a read during which the device is lost throws", async () => {
  const opened: GPUDevice[] = [];
  const device = await untested(changed(() => undefined, opened));
  const reading = expect(computed(device).read()).rejects.toThrow(/`device` is/);
  opened[0]!.destroy();
  await reading;
});

test("a tensor that is too large for a binding is refused at once", async () => {
  const device = await untested(
    changed((_, name) =>
      name === "limits" ? { maxBufferSize: 2 ** 20, maxStorageBufferBindingSize: 2 ** 16 } : undefined,
    ),
  );
  const x = broadcastTo(randn([1], { seed: 1 }).to(device), [2 ** 14 + 1]);
  expect(() => contiguous(x)).toThrow(
    /^copy: `device` is "a tensor of 65540 bytes, and the adapter binds 65536"/,
  );
  await expect(computed(device).read()).resolves.toHaveLength(8);
  device.close();
});

describe("failures that the GPU reports later", () => {
  test("out of memory: the next read throws, once", async () => {
    let left = 1;
    const scopes: string[] = [];
    const device = await untested(
      changed((target, name) => {
        if (name === "pushErrorScope")
          return (kind: GPUErrorFilter) => {
            scopes.push(kind);
            target.pushErrorScope(kind);
          };
        if (name !== "popErrorScope") return undefined;
        return async () => {
          const kind = scopes.pop();
          const error = await target.popErrorScope();
          return kind === "out-of-memory" && left-- > 0 ? { message: "no memory" } : error;
        };
      }),
    );
    const x = computed(device);
    await expect(x.read()).rejects.toThrow(/no memory.*\nFix: work inside of `device.scope/);
    await expect(x.read()).resolves.toHaveLength(8);
    device.close();
  });

  test("a rejected shader: the error names its operation, and other operations still run", async () => {
    const device = await untested(
      changed((target, name) =>
        name === "createShaderModule"
          ? ({ label, code }: GPUShaderModuleDescriptor) =>
              target.createShaderModule({ code: label === "exp" ? `${code} fn broken(` : code })
          : undefined,
      ),
    );
    const y = exp(computed(device));
    await expect(y.read()).rejects.toThrow(/^exp: `device` is/);
    await expect(relu(computed(device)).read()).resolves.toHaveLength(8);
    device.close();
  });
});

test("reads in one turn of the event loop share a submission, and many calls need only one", async () => {
  const device = await onNull();
  const x = randn([16], { seed: 1 }).to(device);
  const results: Tensor[] = [];
  for (let i = 0; i < 40; i++) results.push(add(x, i));
  const before = device.report().counts.submissions;
  await Promise.all(results.map((result) => result.read()));
  expect(device.report().counts.submissions).toBe(before + 1);
  device.close();
});

test("growing lengths compile no new shader, and a long loop uses no more buffers than a short one", async () => {
  const device = await onNull();
  const weight = randn([8, 8], { seed: 2 }).to(device);
  const step = (length: number) =>
    device.scope(() => {
      mul(softmax(matmul(randn([length, 8], { seed: 1, device }), weight)), 0.5);
    });
  for (const length of [1, 5, 64, 65]) step(length);
  const { pipelines } = device.report().counts;
  for (let length = 1; length < 200; length++) step(length);
  expect(device.report().counts.pipelines).toBe(pipelines);
  const before = device.memory();
  for (let i = 0; i < 3; i++) for (let length = 190; length < 200; length++) step(length);
  expect(device.memory().idleBytes).toBeLessThanOrEqual(2 ** 20);
  expect(device.memory().peakBytes).toBe(before.peakBytes);
  await device.finish();
  device.close();
});
