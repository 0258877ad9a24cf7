import type { Checks } from "@qkv/core";
import { isTensor, type Tensor } from "@qkv/tensor";

/** Refuses a value that is not a non-empty object of tensors by name. */
export function checkTensors(check: Checks, tensors: Readonly<Record<string, Tensor>>): void {
  const areTensors = (value: unknown) =>
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.keys(value).length > 0 &&
    Object.values(value).every(isTensor);
  check.each({ tensors }, areTensors, "tensors by name", "give the `tensors` of `runWithTrace`.");
}

/** A traced tensor by full name. Refuses a name that was not traced. */
export function tensorNamed(check: Checks, tensors: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const received = Object.keys(tensors).join(", ");
  const fix = "trace it in that run.";
  return tensors[name] ?? check.refuse({ argument: "tensors", received, expected: `a tensor ${name}`, fix });
}
