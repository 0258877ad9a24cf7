import { DeviceError } from "@qkv/core";

/** Kinds of failure of a WebGPU device. */
export type FailureKind =
  "wait" | "lost" | "closed" | "size" | "memory" | "pipeline" | "validation" | "number" | "dry";

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
  number: "look up only what is there; for token ids, check that the tokenizer belongs to the model.",
};

/** The error of a device that could not do its work, for the operation that met it. */
export function deviceError(fn: string, kind: FailureKind, received: string, cause?: unknown): DeviceError {
  return new DeviceError({
    fn,
    argument: kind === "number" ? "indices" : "device",
    received,
    expected: kind === "number" ? "places that are there" : "a GPU that finishes its work",
    fix: fixes[kind],
    ...(cause === undefined ? {} : { cause }),
  });
}
