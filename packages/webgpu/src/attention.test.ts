// Opening the GPU for attention of arrays, on Dawn's null backend, which compiles shaders but computes nothing.
import { isQkvError } from "@qkv/core";
import { changedGpu, type Change } from "@qkv/test-support/changed-gpu";
import { expect, test } from "vitest";
import { create } from "webgpu";
import { openAttention } from "./attention.js";

/** Kept for all tests: the process ends if this object is garbage-collected. */
const gpu = create(["backend=null"]);

const failure = async (change: Change, opened: GPUDevice[] = []) =>
  openAttention({ gpu: changedGpu(gpu, change, opened) }).catch((error: unknown) => error);
const none: Change = () => undefined;

test("a GPU that computes wrong numbers is refused with its name, and its device is destroyed", async () => {
  const opened: GPUDevice[] = [];
  const error = await failure(none, opened);
  // The shaders of prefill and decoding compiled: the numbers are what is wrong.
  expect(error).toMatchObject({ name: "DeviceError", fn: "openAttention", argument: "adapter" });
  expect(String(error)).toMatch(/, whose numbers in the self-test are .* away"/);
  await expect(opened[0]!.lost).resolves.toMatchObject({ reason: "destroyed" });
});

test("a rejected shader and missing memory are errors of the self-test", async () => {
  const cases: [Change, RegExp][] = [
    [
      (device, name) =>
        name === "createShaderModule" ? () => device.createShaderModule({ code: "no WGSL" }) : undefined,
      /^attention: `device` is .*\nFix: please report the message with the adapter's name/s,
    ],
    [
      (device, name) =>
        name === "popErrorScope"
          ? async () => ({ error: await device.popErrorScope(), message: "no memory" })
          : undefined,
      /no memory/,
    ],
    [
      (_, name) =>
        name === "limits" ? { maxBufferSize: 1000, maxStorageBufferBindingSize: 1000 } : undefined,
      /^attention: `device` is "a tensor of \d+ bytes, and the adapter binds 1000"/,
    ],
  ];
  for (const [change, message] of cases) {
    const error = (await failure(change)) as Error;
    const cause = (error.cause ?? error) as Error;
    expect(isQkvError(cause)).toBe(true);
    expect(cause.name).toBe("DeviceError");
    expect(cause.message).toMatch(message);
  }
});

test("a device that is lost while it is opened throws a DeviceError", async () => {
  const opened: GPUDevice[] = [];
  const error = await failure((device, name) => {
    if (name === "createCommandEncoder") device.destroy();
    return undefined;
  }, opened);
  expect(error).toMatchObject({ name: "DeviceError", fn: "openAttention" });
});

test("unknown options, and a `gpu` that is not a GPU object, are refused", async () => {
  await expect(openAttention({ float16: true } as never)).rejects.toThrow(
    /^openAttention: `float16` is true, expected one of the options adapter, gpu, powerPreference, budgetBytes\./,
  );
  await expect(openAttention({ gpu: "webgpu" as never })).rejects.toThrow(
    /^openAttention: `gpu` is "webgpu"/,
  );
});
