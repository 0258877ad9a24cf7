import { DeviceError } from "@qkv/core";

/** Kinds of failure of a WebGPU device. */
export type FailureKind =
  "wait" | "lost" | "closed" | "size" | "memory" | "pipeline" | "validation" | "dry" | FaultKind;

/** Kinds of numbers that a kernel finds and its operation cannot take. */
export type FaultKind = "number" | "pivot" | "class";

/** Texts of the errors of such numbers. */
export const faultTexts: Record<
  FaultKind,
  { readonly argument: string; readonly received: string; readonly expected: string }
> = {
  number: {
    argument: "indices",
    received: "a place outside of the tensor",
    expected: "places that are there",
  },
  pivot: {
    argument: "a",
    received: "a pivot that is not above 0",
    expected: "a matrix whose eigenvalues are above 0",
  },
  class: {
    argument: "logits",
    received: "a row without a number above -∞",
    expected: "a class that can be chosen in each row",
  },
};

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
  pivot: "make `regularization` larger, and `beta` 0 or more.",
  class: "leave at least one class unmasked, and look for NaN in the model's output.",
};

/** The error of a device that could not do its work, for the operation that met it. */
export function deviceError(fn: string, kind: FailureKind, received: string, cause?: unknown): DeviceError {
  return new DeviceError({
    fn,
    argument: isFault(kind) ? faultTexts[kind].argument : "device",
    received,
    expected: isFault(kind) ? faultTexts[kind].expected : "a GPU that finishes its work",
    fix: fixes[kind],
    ...(cause === undefined ? {} : { cause }),
  });
}

const isFault = (kind: FailureKind): kind is FaultKind => kind in faultTexts;
