// Sixty failures, forced on Dawn's null backend: five for each of twelve operations. Each throws a DeviceError that names the
// operation, does not change numbers on the host, and leaves a working device.
import { DeviceError } from "@qkv/core";
import {
  add,
  concat,
  cumsum,
  exp,
  gelu,
  layerNorm,
  linear,
  matmul,
  mul,
  ones,
  randn,
  rmsNorm,
  softmax,
  sum,
  tensor,
  type Tensor,
} from "@qkv/tensor";
import { changedGpu } from "@qkv/test-support/changed-gpu";
import { afterEach, describe, expect, test } from "vitest";
import { create } from "webgpu";
import { makeDevice, type WebGpuDevice } from "./device.js";
import { everyKernel } from "./kernels/kernels.js";
import { openDevice } from "./open.js";
import { checkOptions } from "./options.js";

/** Kept for all tests: the process ends if this object is garbage-collected. */
const gpu = create(["backend=null"]);

const ops: Record<string, (x: Tensor) => Tensor> = {
  exp,
  gelu,
  add: (x) => add(x, 1),
  mul: (x) => mul(x, x),
  sum: (x) => sum(x, { axis: 0 }),
  softmax: (x) => softmax(x),
  rmsNorm: (x) =>
    rmsNorm(
      x,
      x.device.scope(() => ones([70]).to(x.device)),
    ),
  layerNorm: (x) => layerNorm(x, undefined, undefined),
  cumsum: (x) => cumsum(x, 1),
  matmul: (x) => matmul(x, x),
  linear: (x) => linear(x, x),
  concat: (x) => concat([x, x], 0),
};

type Fault = {
  device: WebGpuDevice;
  /** The devices of the GPU that were opened. */
  opened: GPUDevice[];
  /** Failures from now on. */
  wrong: { memory?: boolean; submission?: boolean; shader?: string | undefined };
};

async function forced(): Promise<Fault> {
  const opened: GPUDevice[] = [];
  const wrong: Fault["wrong"] = {};
  const scopes: GPUErrorFilter[] = [];
  const within = changedGpu(
    gpu,
    (target, name) => {
      switch (name) {
        case "pushErrorScope":
          return (kind: GPUErrorFilter) => {
            scopes.push(kind);
            target.pushErrorScope(kind);
          };
        case "popErrorScope":
          return async () => {
            const kind = scopes.pop();
            const error = await target.popErrorScope();
            if (wrong.memory && kind === "out-of-memory") return { message: "no memory" };
            return wrong.submission && kind === "internal" ? { message: "the driver gave up" } : error;
          };
        case "createShaderModule":
          return ({ label, code }: GPUShaderModuleDescriptor) =>
            target.createShaderModule({ code: label === wrong.shader ? `${code} fn broken(` : code });
        default:
          return undefined;
      }
    },
    opened,
  );
  const options = checkOptions({ gpu: within, budgetBytes: 2 ** 20 });
  const { device } = await makeDevice(everyKernel, () => openDevice(options), options);
  return { device, opened, wrong };
}

let device: WebGpuDevice | undefined;
afterEach(() => device?.close());

const rows = randn([70, 70], { seed: 1 }).data;
const input = (on: WebGpuDevice) => tensor(rows, { shape: [70, 70], device: on });

/** The error of a call that throws, or of the read of its result. */
async function errorOf(call: () => Tensor): Promise<unknown> {
  try {
    await call().read();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** The failure is typed and named, the host's numbers are what they were, and the same call works afterwards. */
async function expectErrorAndRecovery(
  fault: Fault,
  error: unknown,
  message: RegExp,
  x: Tensor,
  f: (x: Tensor) => Tensor,
) {
  expect(error).toBeInstanceOf(DeviceError);
  expect((error as Error).message).toMatch(message);
  expect((error as Error).message).toMatch(/\nFix: /);
  expect(x.data).toEqual(rows);
  const before = fault.device.memory().bytes!;
  expect(await errorOf(() => fault.device.scope(() => f(input(fault.device))))).toBeUndefined();
  expect(fault.device.memory().bytes).toBeLessThanOrEqual(before + 2 ** 17);
}

describe.each(Object.keys(ops))("%s", (op) => {
  const f = ops[op]!;

  test("a device lost before the call throws", async () => {
    const fault = await forced();
    device = fault.device;
    const x = input(device);
    fault.opened[0]!.destroy();
    await fault.opened[0]!.lost;
    const error = await errorOf(() => f(x));
    await device.restart();
    await expectErrorAndRecovery(fault, error, new RegExp(`^${op}: .device. is "lost`), x, f);
  });

  test("a device lost between the call and its read throws", async () => {
    const fault = await forced();
    device = fault.device;
    const x = input(device);
    const y = f(x);
    fault.opened[0]!.destroy();
    await fault.opened[0]!.lost;
    const error = await errorOf(() => y);
    await device.restart();
    await expectErrorAndRecovery(fault, error, /`device` is "lost/, x, f);
    expect(await errorOf(() => exp(y))).toBeInstanceOf(DeviceError);
  });

  test("running out of memory throws", async () => {
    const fault = await forced();
    device = fault.device;
    const x = input(device);
    fault.wrong.memory = true;
    const error = await errorOf(() => f(x));
    fault.wrong.memory = false;
    await expectErrorAndRecovery(fault, error, /no memory.*\nFix: work inside of `device.scope/, x, f);
  });

  test("a submission that fails in the driver throws", async () => {
    const fault = await forced();
    device = fault.device;
    const x = input(device);
    fault.wrong.submission = true;
    const error = await errorOf(() => f(x));
    fault.wrong.submission = false;
    await expectErrorAndRecovery(fault, error, /the driver gave up/, x, f);
  });

  test("a rejected shader throws", async () => {
    const fault = await forced();
    device = fault.device;
    const x = input(device);
    fault.wrong.shader = op;
    const error = await errorOf(() => f(x));
    fault.wrong.shader = undefined;
    await device.restart();
    await expectErrorAndRecovery(fault, error, new RegExp(`^${op}: `), x, f);
  });
});
