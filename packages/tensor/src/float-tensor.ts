import { checkFloat } from "@qkv/core";
import { checkTensor } from "./op.js";
import type { Tensor } from "./tensor.js";

/** Checks that an argument of a public function is a float32 or float64 tensor. */
export function floatTensor(fn: string, argument: string, value: unknown): Tensor {
  const x = checkTensor(fn, argument, value);
  checkFloat(fn, x.dtype);
  return x;
}
