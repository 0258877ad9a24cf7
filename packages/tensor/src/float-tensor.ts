import { checkFloat } from "@qkv/core";
import { checkTensor } from "./op.js";
import type { Tensor } from "./tensor.js";

/** Refuses what is not a tensor of float32 or float64. For the public door of an op whose results have fractions. */
export function floatTensor(fn: string, argument: string, value: unknown): Tensor {
  const x = checkTensor(fn, argument, value);
  checkFloat(fn, x.dtype);
  return x;
}
