import { DeviceError } from "@qkv/core";

/** Kinds of failure of a WebGPU device. */
export type FailureKind = "wait" | "lost" | "closed" | "size" | "memory" | "pipeline" | "validation" | "dry";

const fixes: Record<FailureKind, string> = {
  wait: "`await tensor.read()` first: then the program has the numbers, and `.data` and operations without a kernel on this device work.",
  lost: "`await device.restart()`, and move the parameters there again; what was only on the GPU is gone.",
  closed: "open another device with `await webgpu()`.",
  size: "split the work into smaller parts, or do this part on another device: `tensor.to(js())`.",
  memory:
    "work inside of `device.scope(() => …)` so that intermediate results are freed, or on smaller parts.",
  pipeline: "please report the message with the adapter's name, and use @qkv/wasm until then.",
  validation: "please report the message with the adapter's name, and use @qkv/wasm until then.",
  dry: "`compile(f)` computes nothing: let f make a cache and parameters of its own, and use none of them later.",
};

/** The error of an operation that failed because of the device. */
export function deviceError(fn: string, kind: FailureKind, received: string, cause?: unknown): DeviceError {
  return new DeviceError({
    fn,
    argument: "device",
    received,
    expected: "a GPU that finishes its work",
    fix: fixes[kind],
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Reason for the loss of a device, for error messages. */
export const lostText = ({ reason, message }: GPUDeviceLostInfo): string =>
  `lost (${reason || "unknown"})${message ? `: ${message}` : ""}`;
